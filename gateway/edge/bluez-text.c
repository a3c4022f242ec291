/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/bluez-private.h"

#include <string.h>

#define ERROR_PREFIX "org.bluez.Error."

enum {
  NAME_BYTES = 31, /* what fits into an advertisement */
};

typedef struct {
  const char *text;
  PlFailure failure;
} Meaning;

/* By the name after org.bluez.Error.; Failed tells the cause by its text only. */
static const Meaning by_name[] = {
    {"NotReady", PL_FAILURE_NOT_READY},
    {"NotAvailable", PL_FAILURE_NOT_READY},
    {"InProgress", PL_FAILURE_IN_PROGRESS},
    {"AlreadyConnected", PL_FAILURE_NONE},
    {"NotConnected", PL_FAILURE_ABORTED},
    {"ConnectionAttemptFailed", PL_FAILURE_ABORTED},
    {"DoesNotExist", PL_FAILURE_UNKNOWN_OBJECT},
    {"NotSupported", PL_FAILURE_NOT_SUPPORTED},
    {"NotPermitted", PL_FAILURE_NOT_PERMITTED},
    {"NotAuthorized", PL_FAILURE_AUTHENTICATION},
    {"AuthenticationFailed", PL_FAILURE_AUTHENTICATION},
    {"AuthenticationCanceled", PL_FAILURE_AUTHENTICATION},
    {"AuthenticationRejected", PL_FAILURE_AUTHENTICATION},
    {"AuthenticationTimeout", PL_FAILURE_AUTHENTICATION},
};

/* Texts of Failed, as parts: errno texts, and BlueZ' own after "le-connection-" and
 * "br-connection-". */
static const Meaning by_text[] = {
    {"abort-by-", PL_FAILURE_ABORTED}, /* le-connection-abort-by-local, -by-remote */
    {"aborted-by-", PL_FAILURE_ABORTED},
    {"connection-canceled", PL_FAILURE_ABORTED}, /* what follows our own Disconnect() */
    {"connection-refused", PL_FAILURE_ABORTED},
    {"protocol-error", PL_FAILURE_ABORTED},
    {"Software caused connection abort", PL_FAILURE_ABORTED},
    {"Connection refused", PL_FAILURE_ABORTED},
    {"Connection reset by peer", PL_FAILURE_ABORTED},
    {"Function not implemented", PL_FAILURE_ABORTED},
    {"Operation canceled", PL_FAILURE_ABORTED},
    {"Operation cancelled", PL_FAILURE_ABORTED},
    {"not connected", PL_FAILURE_ABORTED},
    {"Not connected", PL_FAILURE_ABORTED},
    {"Not Connected", PL_FAILURE_ABORTED},
    {"No ATT transport", PL_FAILURE_ABORTED},
    {"connection-timeout", PL_FAILURE_TIMEOUT},
    {"page-timeout", PL_FAILURE_TIMEOUT},
    {"timed out", PL_FAILURE_TIMEOUT},
    {"Host is down", PL_FAILURE_TIMEOUT},
    {"in progress", PL_FAILURE_IN_PROGRESS}, /* Operation already/now in progress */
    {"Already notifying", PL_FAILURE_IN_PROGRESS},
    {"connection-busy", PL_FAILURE_IN_PROGRESS},
    {"resource busy", PL_FAILURE_IN_PROGRESS},
    {"not-powered", PL_FAILURE_NOT_READY},
    {"Network is down", PL_FAILURE_NOT_READY},
    {"Resource Not Ready", PL_FAILURE_NOT_READY},
    {"rfkill", PL_FAILURE_NOT_READY},
    {"No such device", PL_FAILURE_UNKNOWN_OBJECT},
    {"key-missing", PL_FAILURE_AUTHENTICATION},
    {"Permission denied", PL_FAILURE_AUTHENTICATION},
    {"not-supported", PL_FAILURE_NOT_SUPPORTED},
    {"not supported", PL_FAILURE_NOT_SUPPORTED},
    {"Not Supported", PL_FAILURE_NOT_SUPPORTED},
    {"already-connected", PL_FAILURE_NONE},
};

static PlFailure
failure_of_text(const char *text, bool powered) {
  if (strstr(text, "Input/output error"))
    return powered ? PL_FAILURE_OTHER : PL_FAILURE_NOT_READY;
  for (size_t i = 0; i < G_N_ELEMENTS(by_text); i++)
    if (strstr(text, by_text[i].text))
      return by_text[i].failure;
  return PL_FAILURE_OTHER;
}

static PlFailure
failure_of_name(const char *name, const char *text, bool powered) {
  if (g_str_equal(name, "Failed"))
    return failure_of_text(text, powered);
  /* An ATT error 0x05, 0x0c or 0x0f that pairing would cure. */
  if (g_str_equal(name, "NotPermitted") && strstr(text, "Not paired"))
    return PL_FAILURE_AUTHENTICATION;
  for (size_t i = 0; i < G_N_ELEMENTS(by_name); i++)
    if (g_str_equal(name, by_name[i].text))
      return by_name[i].failure;
  return PL_FAILURE_OTHER;
}

static PlFailure
failure_of_bus(int code) {
  switch (code) {
  case G_DBUS_ERROR_NO_REPLY:
  case G_DBUS_ERROR_TIMEOUT:
  case G_DBUS_ERROR_TIMED_OUT:
    return PL_FAILURE_TIMEOUT;
  case G_DBUS_ERROR_UNKNOWN_OBJECT:
  case G_DBUS_ERROR_UNKNOWN_METHOD:
  case G_DBUS_ERROR_UNKNOWN_INTERFACE:
    return PL_FAILURE_UNKNOWN_OBJECT;
  case G_DBUS_ERROR_ACCESS_DENIED:
  case G_DBUS_ERROR_AUTH_FAILED:
    return PL_FAILURE_NOT_PERMITTED;
  case G_DBUS_ERROR_NOT_SUPPORTED:
    return PL_FAILURE_NOT_SUPPORTED;
  default:
    return PL_FAILURE_OTHER;
  }
}

PlFailure
pl_bluez_failure(const GError *error, bool powered) {
  if (!error)
    return PL_FAILURE_NONE;
  g_autofree char *name = g_dbus_error_get_remote_error(error);
  if (name && g_str_has_prefix(name, ERROR_PREFIX))
    return failure_of_name(name + strlen(ERROR_PREFIX), error->message, powered);
  if (error->domain == G_DBUS_ERROR)
    return failure_of_bus(error->code);
  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return PL_FAILURE_TIMEOUT;
  return PL_FAILURE_OTHER;
}

bool
pl_bluez_bytes(GVariant *value, PlLinkEvent *event) {
  if (!value || !g_variant_is_of_type(value, G_VARIANT_TYPE_BYTESTRING))
    return false;
  event->data = g_variant_get_fixed_array(value, &event->length, 1);
  if (!event->data)
    event->data = (const uint8_t *)""; /* no bytes, but not NULL */
  return true;
}

void
pl_bluez_escape(const char *name, char text[PL_BLUEZ_NAME_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  char *out = text;

  for (size_t i = 0; i < NAME_BYTES && name[i] != '\0'; i++) {
    unsigned char byte = (unsigned char)name[i];
    if (byte >= 0x20 && byte <= 0x7e && byte != '\\') {
      *out++ = name[i];
      continue;
    }
    *out++ = '\\';
    *out++ = 'x';
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
  }
  *out = '\0';
}

static bool
is_blank(uint8_t byte) {
  return byte == '\0' || g_ascii_isspace((char)byte);
}

void
pl_bluez_clean(const uint8_t *data, size_t length, char text[PL_BLUEZ_TEXT_SIZE]) {
  size_t out = 0;

  while (length > 0 && is_blank(data[0])) {
    data++;
    length--;
  }
  while (length > 0 && is_blank(data[length - 1]))
    length--;
  while (length > 0) {
    const char *at = (const char *)data;
    gunichar c = g_utf8_get_char_validated(at, (gssize)length);
    bool valid = c < 0x110000;
    size_t size = valid ? (size_t)g_unichar_to_utf8(c, NULL) : 1;
    bool printable = valid && g_unichar_isprint(c);
    size_t needed = printable ? size : 1;
    if (out + needed >= PL_BLUEZ_TEXT_SIZE)
      break;
    memcpy(text + out, printable ? at : "?", needed);
    out += needed;
    data += size;
    length -= size;
  }
  text[out] = '\0';
}

bool
pl_bluez_key(const char *address, const char *type, char key[32]) {
  if (strlen(address) != PL_BLUEZ_ADDRESS_SIZE - 1)
    return false;
  for (size_t i = 0; i < PL_BLUEZ_ADDRESS_SIZE - 1; i++) {
    bool colon = i % 3 == 2;
    if (colon ? address[i] != ':' : !g_ascii_isxdigit(address[i]))
      return false;
    key[i] = g_ascii_toupper(address[i]);
  }
  key[PL_BLUEZ_ADDRESS_SIZE - 1] = '/';
  g_strlcpy(key + PL_BLUEZ_ADDRESS_SIZE, type, 32 - PL_BLUEZ_ADDRESS_SIZE);
  return true;
}

int
pl_bluez_sensor_of(const PlBluez *self, const char *address, const char *type) {
  char key[32];

  if (!pl_bluez_key(address, type, key))
    return PL_NO_SENSOR;
  gpointer number = g_hash_table_lookup(self->sensor_of_key, key);
  if (!number && pl_bluez_key(address, "auto", key))
    number = g_hash_table_lookup(self->sensor_of_key, key);
  return number ? GPOINTER_TO_INT(number) - 1 : PL_NO_SENSOR;
}
