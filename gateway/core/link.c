/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/link.h"

const char *
pl_link_event_name(PlLinkEventType type) {
  switch (type) {
  case PL_LINK_ADAPTER:
    return "adapter";
  case PL_LINK_ADAPTER_GONE:
    return "adapter-gone";
  case PL_LINK_SERVICE_LOST:
    return "service-lost";
  case PL_LINK_SCAN:
    return "scan";
  case PL_LINK_ADVERTISEMENT:
    return "advertisement";
  case PL_LINK_MANUFACTURER:
    return "manufacturer";
  case PL_LINK_SERVICE_DATA:
    return "service-data";
  case PL_LINK_CONNECTED:
    return "connected";
  case PL_LINK_CONNECT_FAILED:
    return "connect-failed";
  case PL_LINK_DISCONNECTED:
    return "disconnected";
  case PL_LINK_REMOVED:
    return "removed";
  case PL_LINK_CHARACTERISTIC:
    return "characteristic";
  case PL_LINK_RESOLVED:
    return "resolved";
  case PL_LINK_SUBSCRIBED:
    return "subscribed";
  case PL_LINK_NOTIFICATION:
    return "notification";
  case PL_LINK_VALUE:
    return "value";
  case PL_LINK_WRITTEN:
    return "written";
  case PL_LINK_BATTERY:
    return "battery";
  case PL_LINK_DROPPED:
    return "dropped";
  }
  return "?";
}

const char *
pl_failure_name(PlFailure failure) {
  static const char *const names[PL_FAILURE_COUNT] = {
      [PL_FAILURE_NONE] = "none",
      [PL_FAILURE_ABORTED] = "aborted",
      [PL_FAILURE_TIMEOUT] = "timeout",
      [PL_FAILURE_UNKNOWN_OBJECT] = "unknown-object",
      [PL_FAILURE_IN_PROGRESS] = "in-progress",
      [PL_FAILURE_NOT_READY] = "not-ready",
      [PL_FAILURE_AUTHENTICATION] = "authentication",
      [PL_FAILURE_NOT_SUPPORTED] = "not-supported",
      [PL_FAILURE_NOT_PERMITTED] = "not-permitted",
      [PL_FAILURE_OTHER] = "other",
  };
  return (unsigned)failure < PL_FAILURE_COUNT ? names[failure] : "?";
}
