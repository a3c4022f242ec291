/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-scan.h"

#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

void
pl_scan_init(PlScanner *scan, const char *bytes, size_t length) {
  *scan = (PlScanner){.bytes = bytes, .length = length, .text = g_string_new(NULL)};
}

void
pl_scan_clear(PlScanner *scan) {
  g_string_free(scan->text, TRUE);
  scan->text = NULL;
}

static PlScanKind
bad(PlScanner *scan, PlScanKind kind, const char *problem) {
  scan->problem = problem;
  return kind;
}

/* Cuts the next line out; its end may be LF or CR LF, the last one may have none. */
static void
take_line(PlScanner *scan) {
  const char *start = scan->bytes + scan->at;
  size_t left = scan->length - scan->at;
  const char *end = memchr(start, '\n', left);
  size_t length = end != NULL ? (size_t)(end - start) : left;

  scan->at += end != NULL ? length + 1 : length;
  if (end != NULL && length > 0 && start[length - 1] == '\r')
    length--;
  g_string_truncate(scan->text, 0);
  g_string_append_len(scan->text, start, (gssize)length);
  scan->line = ++scan->taken;
}

/* `[name]` and nothing but blanks behind it. */
static PlScanKind
scan_group(PlScanner *scan, char *text) {
  char *end = strchr(text, ']');
  if (end == NULL)
    return bad(scan, PL_SCAN_BAD_GROUP, "the name of a group ends with ]");
  if (end[1 + strspn(end + 1, " \t")] != '\0')
    return bad(scan, PL_SCAN_BAD_GROUP,
               "nothing may follow the ] of a group; a comment needs a line of its own");
  *end = '\0';
  scan->name = text + 1;
  return PL_SCAN_GROUP;
}

static PlScanKind
scan_key(PlScanner *scan, char *text) {
  char *equals = strchr(text, '=');
  if (text[0] == ';')
    return bad(scan, PL_SCAN_BAD, "a comment starts with #");
  if (equals == NULL)
    return bad(scan, PL_SCAN_BAD, "expected [group], key = value or a line that starts with #");
  if (equals == text)
    return bad(scan, PL_SCAN_BAD, "there is no key before the =");
  *equals = '\0';
  scan->name = g_strchomp(text);
  scan->value = g_strstrip(equals + 1);
  return PL_SCAN_KEY;
}

PlScanKind
pl_scan_next(PlScanner *scan) {
  size_t mark = strlen(byte_order_mark);
  if (scan->at == 0 && scan->length >= mark &&
      memcmp(scan->bytes, byte_order_mark, mark) == 0) {
    scan->bytes += mark;
    scan->length -= mark;
    scan->line = 1;
    return bad(scan, PL_SCAN_BAD,
               "the file starts with a byte order mark: save it as UTF-8 without one");
  }
  while (scan->at < scan->length) {
    take_line(scan);
    if (memchr(scan->text->str, '\0', scan->text->len) != NULL)
      return bad(scan, PL_SCAN_BAD, "there is a NUL byte in the line: save the file as UTF-8");
    if (!g_utf8_validate(scan->text->str, (gssize)scan->text->len, NULL))
      return bad(scan, PL_SCAN_BAD, "the line is not UTF-8: save the file as UTF-8");
    char *text = g_strchug(scan->text->str);
    if (text[0] == '\0' || text[0] == '#')
      continue;
    return text[0] == '[' ? scan_group(scan, text) : scan_key(scan, text);
  }
  return PL_SCAN_END;
}

char *
pl_scan_unescape(const char *value, const char **problem) {
  static const char letters[] = "sntr\\", meanings[] = " \n\t\r\\";
  GString *text = g_string_sized_new(strlen(value));

  for (const char *p = value; *p != '\0'; p++) {
    if (*p != '\\') {
      g_string_append_c(text, *p);
      continue;
    }
    p++;
    const char *letter = *p != '\0' ? strchr(letters, *p) : NULL;
    if (letter == NULL) {
      *problem = "after a \\ only s, n, t, r and \\ have a meaning; write \\\\ for a \\";
      g_string_free(text, TRUE);
      return NULL;
    }
    g_string_append_c(text, meanings[letter - letters]);
  }
  return g_string_free(text, FALSE);
}

char *
pl_scan_escape(const char *text) {
  GString *value = g_string_sized_new(strlen(text));

  for (const char *p = text; *p != '\0'; p++) {
    bool at_end = p == text || p[1] == '\0';
    switch (*p) {
    case '\\':
      g_string_append(value, "\\\\");
      break;
    case '\n':
      g_string_append(value, "\\n");
      break;
    case '\t':
      g_string_append(value, "\\t");
      break;
    case '\r':
      g_string_append(value, "\\r");
      break;
    case ' ':
      g_string_append(value, at_end ? "\\s" : " ");
      break;
    default:
      g_string_append_c(value, *p);
    }
  }
  return g_string_free(value, FALSE);
}
