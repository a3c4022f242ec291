/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/bluez-private.h"

#include <string.h>

typedef struct {
  const char *name; /* of the error */
  const char *text;
  PlFailure failure;
} FailureCase;

#define BLUEZ "org.bluez.Error."
#define DBUS  "org.freedesktop.DBus.Error."

/* Names and texts as bluetoothd 5.66 to 5.87 and dbus-daemon send them. */
static const FailureCase cases[] = {
    {BLUEZ "NotReady", "Resource Not Ready", PL_FAILURE_NOT_READY},
    {BLUEZ "InProgress", "In Progress", PL_FAILURE_IN_PROGRESS},
    {BLUEZ "InProgress", "Operation already in progress", PL_FAILURE_IN_PROGRESS},
    {BLUEZ "AlreadyConnected", "Already Connected", PL_FAILURE_NONE},
    {BLUEZ "NotConnected", "Not Connected", PL_FAILURE_ABORTED},
    {BLUEZ "DoesNotExist", "Does Not Exist", PL_FAILURE_UNKNOWN_OBJECT},
    {BLUEZ "NotSupported", "Operation is not supported", PL_FAILURE_NOT_SUPPORTED},
    {BLUEZ "NotPermitted", "Notify acquired", PL_FAILURE_NOT_PERMITTED},
    {BLUEZ "NotPermitted", "Write not permitted", PL_FAILURE_NOT_PERMITTED},
    {BLUEZ "NotPermitted", "Not paired", PL_FAILURE_AUTHENTICATION},
    {BLUEZ "NotAuthorized", "Operation Not Authorized", PL_FAILURE_AUTHENTICATION},
    {BLUEZ "AuthenticationFailed", "Authentication Failed", PL_FAILURE_AUTHENTICATION},
    {BLUEZ "AuthenticationCanceled", "Authentication Canceled", PL_FAILURE_AUTHENTICATION},
    {BLUEZ "AuthenticationRejected", "Authentication Rejected", PL_FAILURE_AUTHENTICATION},
    {BLUEZ "AuthenticationTimeout", "Authentication Timeout", PL_FAILURE_AUTHENTICATION},
    {BLUEZ "ConnectionAttemptFailed", "Page Timeout", PL_FAILURE_ABORTED},
    {BLUEZ "InvalidArguments", "Invalid arguments in method call", PL_FAILURE_OTHER},
    {BLUEZ "InvalidValueLength", "Invalid Length", PL_FAILURE_OTHER},
    {BLUEZ "SomethingNew", "?", PL_FAILURE_OTHER},
    {BLUEZ "Failed", "le-connection-abort-by-local", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "le-connection-abort-by-remote", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "br-connection-aborted-by-local", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "br-connection-canceled", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "le-connection-refused", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "le-connection-link-layer-protocol-error", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "Software caused connection abort", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "Connection refused", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "Connection reset by peer", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "Function not implemented", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "Transport endpoint is not connected", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "Not connected", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "Operation canceled", PL_FAILURE_ABORTED},
    {BLUEZ "Failed", "le-connection-timeout", PL_FAILURE_TIMEOUT},
    {BLUEZ "Failed", "br-connection-page-timeout", PL_FAILURE_TIMEOUT},
    {BLUEZ "Failed", "Connection timed out", PL_FAILURE_TIMEOUT},
    {BLUEZ "Failed", "Host is down", PL_FAILURE_TIMEOUT},
    {BLUEZ "Failed", "Operation already in progress", PL_FAILURE_IN_PROGRESS},
    {BLUEZ "Failed", "Operation now in progress", PL_FAILURE_IN_PROGRESS},
    {BLUEZ "Failed", "Already notifying", PL_FAILURE_IN_PROGRESS},
    {BLUEZ "Failed", "le-connection-busy", PL_FAILURE_IN_PROGRESS},
    {BLUEZ "Failed", "Device or resource busy", PL_FAILURE_IN_PROGRESS},
    {BLUEZ "Failed", "le-connection-adapter-not-powered", PL_FAILURE_NOT_READY},
    {BLUEZ "Failed", "Network is down", PL_FAILURE_NOT_READY},
    {BLUEZ "Failed", "Blocked through rfkill", PL_FAILURE_NOT_READY},
    {BLUEZ "Failed", "le-connection-key-missing", PL_FAILURE_AUTHENTICATION},
    {BLUEZ "Failed", "Permission denied", PL_FAILURE_AUTHENTICATION},
    {BLUEZ "Failed", "le-connection-not-supported", PL_FAILURE_NOT_SUPPORTED},
    {BLUEZ "Failed", "Protocol not supported", PL_FAILURE_NOT_SUPPORTED},
    {BLUEZ "Failed", "br-connection-already-connected", PL_FAILURE_NONE},
    {BLUEZ "Failed", "Input/output error", PL_FAILURE_OTHER},
    {BLUEZ "Failed", "le-connection-concurrent-connection-limit", PL_FAILURE_OTHER},
    {BLUEZ "Failed", "Operation failed with ATT error: 0x80", PL_FAILURE_OTHER},
    {BLUEZ "Failed", "", PL_FAILURE_OTHER},
    {DBUS "NoReply", "Message recipient disconnected", PL_FAILURE_TIMEOUT},
    {DBUS "Timeout", "", PL_FAILURE_TIMEOUT},
    {DBUS "UnknownObject", "", PL_FAILURE_UNKNOWN_OBJECT},
    {DBUS "UnknownMethod", "", PL_FAILURE_UNKNOWN_OBJECT},
    {DBUS "UnknownInterface", "", PL_FAILURE_UNKNOWN_OBJECT},
    {DBUS "AccessDenied", "", PL_FAILURE_NOT_PERMITTED},
    {DBUS "ServiceUnknown", "", PL_FAILURE_OTHER},
    {DBUS "NameHasNoOwner", "", PL_FAILURE_OTHER},
    {"com.example.Failed", "le-connection-abort-by-local", PL_FAILURE_OTHER},
};

static void
test_failure(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = g_dbus_error_new_for_dbus_error(cases[i].name, cases[i].text);
    g_test_message("%s: %s", cases[i].name, cases[i].text);
    g_assert_cmpstr(pl_failure_name(pl_bluez_failure(error, true)), ==,
                    pl_failure_name(cases[i].failure));
  }
  g_autoptr(GError) off = g_dbus_error_new_for_dbus_error(BLUEZ "Failed", "Input/output error");
  g_assert_cmpint(pl_bluez_failure(off, false), ==, PL_FAILURE_NOT_READY);
  g_autoptr(GError) late = g_error_new(G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "late");
  g_assert_cmpint(pl_bluez_failure(late, true), ==, PL_FAILURE_TIMEOUT);
  g_autoptr(GError) closed = g_error_new(G_IO_ERROR, G_IO_ERROR_CLOSED, "closed");
  g_assert_cmpint(pl_bluez_failure(closed, true), ==, PL_FAILURE_OTHER);
  g_assert_cmpint(pl_bluez_failure(NULL, true), ==, PL_FAILURE_NONE);
}

typedef struct {
  const char *bytes;
  size_t length;
  const char *text;
} TextCase;

#define TEXT(bytes, text)                                                                      \
  { bytes, sizeof(bytes) - 1, text }

static const TextCase texts[] = {
    TEXT("Polar Electro Oy", "Polar Electro Oy"),
    TEXT("", ""),
    TEXT("\0\0 \t", ""),
    TEXT("  H10\0\0", "H10"),
    TEXT("a\0b", "a?b"),
    TEXT("\x1b]0;x\x07", "?]0;x?"),
    TEXT("caf\xc3\xa9", "caf\xc3\xa9"),
    TEXT("\xc3", "?"),
    TEXT("\xff\xfe", "??"),
    TEXT("\xe2\x80\xae"
         "abc",
         "?abc"),                /* a mark that turns the direction of text */
    TEXT("\xed\xa0\x80", "???"), /* a surrogate */
    TEXT("0123456789012345678901234567890123456789012345678901234567890123456789",
         "0123456789012345678901234567890123456789012345678901234567890123"),
    TEXT("012345678901234567890123456789012345678901234567890123456789012\xc3\xa9",
         "012345678901234567890123456789012345678901234567890123456789012"),
};

static void
test_clean(void) {
  char text[PL_BLUEZ_TEXT_SIZE];

  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree uint8_t *exact = g_memdup2(texts[i].bytes, texts[i].length);
    pl_bluez_clean(exact, texts[i].length, text);
    g_assert_cmpstr(text, ==, texts[i].text);
  }
}

static void
test_escape(void) {
  char text[PL_BLUEZ_NAME_SIZE];

  pl_bluez_escape("HRM-Pro \"+#/", text);
  g_assert_cmpstr(text, ==, "HRM-Pro \"+#/");
  pl_bluez_escape("a\\b\x7f\n", text);
  g_assert_cmpstr(text, ==, "a\\x5cb\\x7f\\x0a");
  /* The longest result: 31 bytes, four characters each. */
  pl_bluez_escape("\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
                  "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01",
                  text);
  g_assert_cmpuint(strlen(text), ==, 124);
}

static void
test_key(void) {
  char key[32];

  g_assert_true(pl_bluez_key("c0:00:00:00:0a:Ff", "random", key));
  g_assert_cmpstr(key, ==, "C0:00:00:00:0A:FF/random");
  g_assert_true(pl_bluez_key("C0:00:00:00:0A:FF", "a type that is far too long", key));
  g_assert_cmpuint(strlen(key), <, sizeof key);
  g_assert_false(pl_bluez_key("", "public", key));
  g_assert_false(pl_bluez_key("C0-00-00-00-0A-FF", "public", key));
  g_assert_false(pl_bluez_key("C0:00:00:00:0A:FG", "public", key));
  g_assert_false(pl_bluez_key("C0:00:00:00:0A:F", "public", key));
  g_assert_false(pl_bluez_key("C0:00:00:00:0A:FF:", "public", key));
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/edge/bluez-text/failure", test_failure);
  g_test_add_func("/edge/bluez-text/clean", test_clean);
  g_test_add_func("/edge/bluez-text/escape", test_escape);
  g_test_add_func("/edge/bluez-text/key", test_key);
  return g_test_run();
}
