/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/config-private.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

/* The types that know about Bluetooth, MQTT and people. */

enum {
  HOST_NAME_MAX_LENGTH = 253, /* RFC 1035 */
  AGE_MAX = 120,
};

static const char letters_digits[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static char *
expected_host(const PlOption *option) {
  return g_strdup("a name, an address or the path of a unix socket");
}

static bool
is_host_name(const char *text) {
  size_t length = strlen(text);
  if (length == 0 || length > HOST_NAME_MAX_LENGTH || strchr(letters_digits, text[0]) == NULL)
    return false;
  for (const char *p = text; *p != '\0'; p++)
    if (strchr(letters_digits, *p) == NULL && strchr("-_.", *p) == NULL)
      return false;
  return strstr(text, "..") == NULL;
}

/* IPv6 with or without a scope, as in fe80::1%eth0. */
static bool
is_ipv6(const char *text) {
  struct in6_addr address;
  size_t length = strcspn(text, "%");
  g_autofree char *number = g_strndup(text, length);
  return inet_pton(AF_INET6, number, &address) == 1 &&
         (text[length] == '\0' || text[length + 1] != '\0');
}

static bool
parse_host(PlReader *reader, const PlOption *option, const char *text, void *target) {
  if (text[0] == '/') {
    if (!pl_is_absolute_path(text) || strlen(text) >= sizeof((struct sockaddr_un *)0)->sun_path)
      return false;
  } else if (!is_host_name(text) && !is_ipv6(text)) {
    if (strstr(text, "://") != NULL)
      g_string_assign(reader->why, "expected no scheme: write the name alone, and the port and "
                                   "TLS in keys of their own");
    else if (strchr(text, ':') != NULL)
      g_string_assign(reader->why, "expected no port here: it has a key of its own");
    return false;
  }
  *(const char **)target = pl_reader_keep(reader, text);
  return true;
}

const PlType pl_type_host = {parse_host, expected_host, NULL};

static char *
expected_tls(const PlOption *option) {
  return g_strdup("no, system or the path of a file with the certificates to trust");
}

static bool
parse_tls(PlReader *reader, const PlOption *option, const char *text, void *target) {
  PlMqttConfig *connection = target;
  bool is_file = pl_is_absolute_path(text);

  if (!is_file && strcmp(text, "no") != 0 && strcmp(text, "system") != 0)
    return false;
  connection->tls = strcmp(text, "no") != 0;
  connection->ca_file = is_file ? pl_reader_keep(reader, text) : NULL;
  return true;
}

const PlType pl_type_tls = {parse_tls, expected_tls, NULL};

static char *
expected_topic(const PlOption *option) {
  return g_strdup("a topic without + and #, without an empty level and not starting with $");
}

static bool
parse_topic(PlReader *reader, const PlOption *option, const char *text, void *target) {
  size_t length = strlen(text);
  if (length == 0 || length > option->maximum || text[0] == '$' || text[0] == '/' ||
      text[length - 1] == '/' || strstr(text, "//") != NULL || strpbrk(text, "+#") != NULL ||
      pl_has_control(text))
    return false;
  *(const char **)target = pl_reader_keep(reader, text);
  return true;
}

const PlType pl_type_topic = {parse_topic, expected_topic, NULL};

/* Whether there is such a zone is seen when the files are looked at; here only that the name
 * can not lead out of the folder of the zones. */
static char *
expected_zone(const PlOption *option) {
  return g_strdup("the name of a time zone, such as Europe/Berlin or UTC");
}

static bool
parse_zone(PlReader *reader, const PlOption *option, const char *text, void *target) {
  if (text[0] == '\0' || strchr(letters_digits, text[0]) == NULL)
    return false;
  for (const char *p = text; *p != '\0'; p++)
    if (strchr(letters_digits, *p) == NULL && strchr("/_+-", *p) == NULL)
      return false;
  *(const char **)target = pl_reader_keep(reader, text);
  return true;
}

const PlType pl_type_zone = {parse_zone, expected_zone, NULL};

static char *
expected_born(const PlOption *option) {
  return g_strdup("a year or a date, such as 1986 or 1986-04-12");
}

/* `digits` decimal digits; moves on behind them. */
static bool
take_digits(const char **text, unsigned digits, int *value) {
  *value = 0;
  for (unsigned i = 0; i < digits; i++, (*text)++) {
    if (!g_ascii_isdigit(**text))
      return false;
    *value = *value * 10 + (**text - '0');
  }
  return true;
}

static bool
take_date(const char *text, int *year, int *month, int *day) {
  *month = *day = 0;
  if (!take_digits(&text, 4, year))
    return false;
  if (*text == '\0')
    return *year > 0;
  return *text++ == '-' && take_digits(&text, 2, month) && *text++ == '-' &&
         take_digits(&text, 2, day) && *text == '\0' &&
         g_date_valid_dmy((GDateDay)*day, (GDateMonth)*month, (GDateYear)*year);
}

static bool
parse_born(PlReader *reader, const PlOption *option, const char *text, void *target) {
  const PlConfigSurroundings *today = reader->surroundings;
  PlConfigAthlete *athlete = target;
  int year, month, day;

  if (!take_date(text, &year, &month, &day))
    return false;
  bool future = year > today->year ||
                (year == today->year && month * 100 + day > today->month * 100 + today->day);
  if (future || year < today->year - AGE_MAX) {
    g_string_printf(reader->why, "%s is %s", text,
                    future ? "in the future" : "more than 120 years ago");
    return false;
  }
  athlete->born_year = year;
  athlete->born_month = month;
  athlete->born_day = day;
  return true;
}

const PlType pl_type_born = {parse_born, expected_born, NULL};

/* Refuses what no device has: all bits 0 or 1. */
static bool
normalise_address(const char *text, char address[PL_ADDRESS_SIZE]) {
  unsigned zeros = 0, ones = 0;
  if (strlen(text) != PL_ADDRESS_SIZE - 1)
    return false;
  for (unsigned i = 0; i < PL_ADDRESS_SIZE - 1; i++) {
    char c = g_ascii_toupper(text[i]);
    if (i % 3 == 2 ? c != ':' : !g_ascii_isxdigit(c))
      return false;
    zeros += c == '0';
    ones += c == 'F';
    address[i] = c;
  }
  address[PL_ADDRESS_SIZE - 1] = '\0';
  return zeros < 12 && ones < 12;
}

static char *
expected_address(const PlOption *option) {
  return g_strdup("a Bluetooth address such as AA:BB:CC:DD:EE:FF");
}

static bool
parse_address(PlReader *reader, const PlOption *option, const char *text, void *target) {
  char address[PL_ADDRESS_SIZE];
  if (!normalise_address(text, address))
    return false;
  *(const char **)target = pl_reader_keep(reader, address);
  return true;
}

const PlType pl_type_address = {parse_address, expected_address, NULL};

char **
pl_split_list(const char *text) {
  char **items = g_strsplit_set(text, ";, \t", -1);
  unsigned kept = 0;
  for (unsigned i = 0; items[i] != NULL; i++) {
    if (items[i][0] != '\0')
      items[kept++] = items[i];
    else
      g_free(items[i]);
  }
  items[kept] = NULL;
  return items;
}

static char *
expected_addresses(const PlOption *option) {
  return g_strdup("auto or addresses such as AA:BB:CC:DD:EE:FF with ; between them");
}

static bool
add_adapter(PlReader *reader, GPtrArray *adapters, const char *item) {
  char address[PL_ADDRESS_SIZE];
  if (!normalise_address(item, address)) {
    if (g_str_has_prefix(item, "hci"))
      g_string_printf(reader->why,
                      "expected the address of the adapter, got \"%s\", a name that another "
                      "adapter may have after the next start; `bluetoothctl list` shows "
                      "addresses",
                      item);
    return false;
  }
  const char *kept = pl_reader_keep(reader, address);
  if (g_ptr_array_find_with_equal_func(adapters, kept, g_str_equal, NULL)) {
    g_string_printf(reader->why, "%s stands in the list twice", kept);
    return false;
  }
  g_ptr_array_add(adapters, (void *)(uintptr_t)kept);
  return true;
}

static bool
parse_addresses(PlReader *reader, const PlOption *option, const char *text, void *target) {
  PlConfigBluetooth *bluetooth = target;
  if (strcmp(text, "auto") == 0)
    return true;

  g_auto(GStrv) items = pl_split_list(text);
  g_autoptr(GPtrArray) adapters = g_ptr_array_new();
  for (char **item = items; *item != NULL; item++)
    if (!add_adapter(reader, adapters, *item))
      return false;
  if (adapters->len == 0)
    return false;
  if (adapters->len > PL_ADAPTER_MAX) {
    g_string_printf(reader->why, "expected at most %d addresses, got %u", PL_ADAPTER_MAX,
                    adapters->len);
    return false;
  }

  bluetooth->adapter_count = adapters->len;
  g_ptr_array_add(adapters, NULL);
  void **list = g_ptr_array_free(g_steal_pointer(&adapters), FALSE);
  g_ptr_array_add(reader->config->tree->lists, list);
  bluetooth->adapters = (const char *const *)list;
  return true;
}

const PlType pl_type_addresses = {parse_addresses, expected_addresses, NULL};

static char *
expected_athlete(const PlOption *option) {
  return g_strdup("the ID of an [athlete ID] group");
}

static bool
parse_athlete(PlReader *reader, const PlOption *option, const char *text, void *target) {
  int index = pl_config_find_athlete(reader->config, text);
  if (index < 0) {
    PlNearest nearest;
    g_autofree char *quoted = pl_problems_quote(text);
    pl_nearest_init(&nearest, text);
    for (size_t i = 0; i < reader->config->athlete_count; i++)
      pl_nearest_try(&nearest, reader->config->athletes[i].id);
    g_string_printf(reader->why, "there is no [athlete ID] group for %s", quoted);
    if (nearest.best != NULL)
      g_string_append_printf(reader->why, "; did you mean %s?", nearest.best);
    return false;
  }
  *(int *)target = index;
  return true;
}

static void
unset_athlete(void *target) {
  *(int *)target = PL_CONFIG_NOBODY;
}

const PlType pl_type_athlete = {parse_athlete, expected_athlete, unset_athlete};

static char *
expected_mount(const PlOption *option) {
  GString *text = g_string_new(NULL);
  for (int i = 0; i < PL_MOUNT_COUNT; i++)
    g_string_append_printf(text, "%s%s",
                           i == 0                   ? ""
                           : i + 1 < PL_MOUNT_COUNT ? ", "
                                                    : " or ",
                           pl_mount_name(i));
  return g_string_free(text, FALSE);
}

static bool
parse_mount(PlReader *reader, const PlOption *option, const char *text, void *target) {
  int mount = pl_mount_find(text);
  if (mount >= 0)
    *(PlMount *)target = (PlMount)mount;
  return mount >= 0;
}

static void
unset_mount(void *target) {
  *(PlMount *)target = PL_MOUNT_COUNT;
}

const PlType pl_type_mount = {parse_mount, expected_mount, unset_mount};
