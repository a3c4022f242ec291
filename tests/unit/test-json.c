/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/civil.h"
#include "gateway/core/json.h"

#include <glib.h>
#include <math.h>
#include <string.h>

static void
test_object(void) {
  char buffer[512];
  PlJson json;
  const double nan = NAN;

  pl_json_init(&json, buffer, sizeof buffer);
  pl_json_object(&json);
  pl_json_member_integer(&json, "v", 1);
  pl_json_member_number(&json, "heart_rate_bpm", 150.04, 1);
  pl_json_member_number(&json, "unknown", nan, 1);
  pl_json_member_number(&json, "infinite", INFINITY, 1);
  pl_json_member_string(&json, "phase", "running");
  pl_json_member_string(&json, "nobody", NULL);
  pl_json_member_array(&json, "rr_ms");
  pl_json_number(&json, 375.0, 3);
  pl_json_number(&json, nan, 3);
  pl_json_number(&json, 399.4140625, 3);
  pl_json_array_end(&json);
  pl_json_member_object(&json, "confidence");
  pl_json_member_number(&json, "speed_m_s", 0.5, 3);
  pl_json_object_end(&json);
  pl_json_member_object(&json, "missing");
  pl_json_object_end(&json);
  pl_json_member_array(&json, "rows");
  pl_json_array(&json);
  pl_json_null(&json);
  pl_json_bool(&json, true);
  pl_json_array_end(&json);
  pl_json_object(&json);
  pl_json_object_end(&json);
  pl_json_array_end(&json);
  pl_json_member_bool(&json, "late", false);
  pl_json_member_raw(&json, "arguments", "{\"a\":1}", 7);
  pl_json_member_hex(&json, "value", (const uint8_t[]){0x10, 0xa7, 0x00}, 3);
  pl_json_member_time(&json, "time", INT64_C(1795413731000));
  pl_json_member_time(&json, "never", -1);
  pl_json_object_end(&json);

  g_assert_cmpstr(pl_json_text(&json), ==,
                  "{\"v\":1,\"heart_rate_bpm\":150,\"phase\":\"running\","
                  "\"rr_ms\":[375,399.414],\"confidence\":{\"speed_m_s\":0.5},\"missing\":{},"
                  "\"rows\":[[null,true],{}],\"late\":false,\"arguments\":{\"a\":1},"
                  "\"value\":\"10a700\",\"time\":\"2026-11-23T06:02:11.000Z\"}");
  g_assert_cmpuint(json.length, ==, strlen(buffer));
}

static void
test_integers(void) {
  char buffer[128];
  PlJson json;

  pl_json_init(&json, buffer, sizeof buffer);
  pl_json_array(&json);
  pl_json_integer(&json, 0);
  pl_json_integer(&json, INT64_MAX);
  pl_json_integer(&json, INT64_MIN);
  pl_json_unsigned(&json, UINT64_MAX);
  pl_json_array_end(&json);
  g_assert_cmpstr(pl_json_text(&json), ==,
                  "[0,9223372036854775807,-9223372036854775808,18446744073709551615]");
}

/* Whatever the size of the buffer: either the whole text, or nothing and no byte beyond. */
static void
test_overflow(void) {
  static const char whole[] = "{\"a\":\"\xc3\xa4\\n\",\"b\":[1.25,true]}";

  for (size_t size = 1; size <= sizeof whole + 1; size++) {
    g_autofree char *buffer = g_malloc(size);
    PlJson json;
    pl_json_init(&json, buffer, size);
    pl_json_object(&json);
    pl_json_member_string(&json, "a", "\xc3\xa4\n");
    pl_json_member_array(&json, "b");
    pl_json_number(&json, 1.25, 2);
    pl_json_bool(&json, true);
    pl_json_array_end(&json);
    pl_json_object_end(&json);
    g_assert_cmpstr(pl_json_text(&json), ==, size >= sizeof whole ? whole : NULL);
    g_assert_cmpuint(strlen(buffer), <, size);
  }
}

/* More decimals than there are places are cut to what there is. */
static void
test_decimals_limit(void) {
  char buffer[64];
  PlJson json;

  pl_json_init(&json, buffer, sizeof buffer);
  pl_json_number(&json, 1.0 / 3, 400);
  g_assert_cmpstr(pl_json_text(&json), ==, "0.333333333");
}

static char *
bytes_from_hex(const char *hex, size_t *length) {
  *length = strlen(hex) / 2;
  char *bytes = g_malloc(*length + 1);
  for (size_t i = 0; i < *length; i++)
    bytes[i] =
        (char)(g_ascii_xdigit_value(hex[2 * i]) * 16 + g_ascii_xdigit_value(hex[2 * i + 1]));
  bytes[*length] = '\0';
  return bytes;
}

static void
check_number(char **fields) {
  char buffer[512];
  PlJson json;

  pl_json_init(&json, buffer, sizeof buffer);
  pl_json_number(&json, g_ascii_strtod(fields[1], NULL),
                 (unsigned)g_ascii_strtoull(fields[2], NULL, 10));
  g_assert_cmpstr(pl_json_text(&json), ==, fields[3]);
}

static void
check_string(char **fields) {
  char buffer[512];
  PlJson json;
  size_t length, expected_length;
  g_autofree char *bytes = bytes_from_hex(fields[1], &length);
  g_autofree char *expected = bytes_from_hex(fields[2], &expected_length);

  pl_json_init(&json, buffer, sizeof buffer);
  pl_json_string_length(&json, bytes, length);
  g_assert_cmpstr(pl_json_text(&json), ==, expected);
}

static void
check_time(char **fields) {
  char text[PL_CIVIL_TEXT_SIZE], compact[PL_CIVIL_COMPACT_SIZE];
  int64_t ms = g_ascii_strtoll(fields[1], NULL, 10), parsed;

  g_assert_true(pl_civil_format(ms, text));
  g_assert_cmpstr(text, ==, fields[2]);
  g_assert_true(pl_civil_format_compact(ms, compact));
  g_assert_cmpstr(compact, ==, fields[3]);
  g_assert_true(pl_civil_parse(text, &parsed));
  g_assert_cmpint(parsed, ==, ms);
}

/* Against Python's decimal, json and datetime. */
static void
test_vectors(void) {
  g_autofree char *script = g_test_build_filename(G_TEST_DIST, "json-vectors.py", NULL);
  g_autofree char *python = g_find_program_in_path("python3");
  char *argv[] = {python, script, NULL};
  g_autofree char *output = NULL;
  g_autoptr(GError) error = NULL;
  int status;

  if (python == NULL) {
    g_test_skip("no python3");
    return;
  }
  g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, &status, &error);
  g_assert_no_error(error);
  g_spawn_check_wait_status(status, &error);
  g_assert_no_error(error);

  size_t checked = 0;
  char *end = output + strlen(output), *next;
  for (char *line = output; line < end; line = next, checked++) {
    next = (char *)memchr(line, '\n', (size_t)(end - line)) + 1;
    next[-1] = '\0';
    g_auto(GStrv) fields = g_strsplit(line, "\t", -1);
    if (strcmp(fields[0], "number") == 0)
      check_number(fields);
    else if (strcmp(fields[0], "string") == 0)
      check_string(fields);
    else
      check_time(fields);
  }
  g_assert_cmpuint(checked, >, 60000);
}

static void
test_civil_range(void) {
  char text[PL_CIVIL_TEXT_SIZE], compact[PL_CIVIL_COMPACT_SIZE];

  g_assert_false(pl_civil_format(-1, text));
  g_assert_cmpstr(text, ==, "");
  g_assert_false(pl_civil_format(PL_CIVIL_MS_MAX + 1, text));
  g_assert_false(pl_civil_format(INT64_MIN, text));
  g_assert_false(pl_civil_format_compact(INT64_MAX, compact));
  g_assert_cmpstr(compact, ==, "");
}

static void
test_civil_parse(void) {
  static const struct {
    const char *text;
    int64_t ms; /* -1: refused */
  } cases[] = {
      {"2026-11-23T06:02:11.000Z", INT64_C(1795413731000)},
      {"2026-11-23T06:02:11Z", INT64_C(1795413731000)},
      {"2026-11-23T07:02:11+01:00", INT64_C(1795413731000)},
      {"2026-11-22T22:32:11.5-07:30", INT64_C(1795413731500)},
      {"2026-11-23T06:02:11.123456789Z", INT64_C(1795413731123)},
      {"1970-01-01T00:00:00Z", 0},
      {"1969-12-31T23:30:00-00:30", 0},
      {"2000-02-29T00:00:00Z", INT64_C(951782400000)},
      {"1900-02-29T00:00:00Z", -1},
      {"2026-02-29T00:00:00Z", -1},
      {"2026-13-01T00:00:00Z", -1},
      {"2026-00-01T00:00:00Z", -1},
      {"2026-04-31T00:00:00Z", -1},
      {"2026-11-23T24:00:00Z", -1},
      {"2026-11-23T06:02:60Z", -1},
      {"2026-11-23T06:02:11.Z", -1},
      {"2026-11-23T06:02:11.1234567890Z", -1},
      {"2026-11-23T06:02:11", -1},
      {"2026-11-23T06:02:11Z ", -1},
      {"2026-11-23 06:02:11Z", -1},
      {"2026-11-23T06:02:11+1:00", -1},
      {"1969-12-31T23:59:59Z", -1},
      {"9999-12-31T23:59:59-00:01", -1},
      {"", -1},
      {"20261123T060211Z", -1},
  };

  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    int64_t ms = -1;
    g_assert_cmpint(pl_civil_parse(cases[i].text, &ms), ==, cases[i].ms >= 0);
    g_assert_cmpint(ms, ==, cases[i].ms);
  }
}

int
main(int argc, char *argv[]) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/json/object", test_object);
  g_test_add_func("/json/integers", test_integers);
  g_test_add_func("/json/overflow", test_overflow);
  g_test_add_func("/json/decimals-limit", test_decimals_limit);
  g_test_add_func("/json/vectors", test_vectors);
  g_test_add_func("/civil/range", test_civil_range);
  g_test_add_func("/civil/parse", test_civil_parse);
  return g_test_run();
}
