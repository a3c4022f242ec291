/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/bluez-private.h"

#include <string.h>

/* Reads and writes, one at a time for each device: BlueZ answers InProgress to a second one on
 * the same characteristic, and a repetition must not overtake what was asked for later. */

enum {
  QUEUE_MAX = 32,
  BUSY_RETRY_MS = 10, /* somebody else reads or writes the same characteristic */
  BUSY_TRIES = 100,
};

static const PlUuid manufacturer_uuid = PL_UUID16(0x2a29);
static const PlUuid model_uuid = PL_UUID16(0x2a24);
static const PlUuid firmware_uuid = PL_UUID16(0x2a26);

static void run_next(PlBluezDevice *device);

static void
operation_free(PlBluezOperation *operation) {
  if (!operation)
    return;
  g_clear_pointer(&operation->value, g_bytes_unref);
  g_free(operation);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlBluezOperation, operation_free)

static void
queue_clear(GQueue *queue) {
  while (!g_queue_is_empty(queue))
    operation_free(g_queue_pop_head(queue));
}

void
pl_bluez_operations_clear(PlBluezDevice *device) {
  g_clear_handle_id(&device->operation_timer, g_source_remove);
  queue_clear(&device->operations);
  queue_clear(&device->info_reads);
  operation_free(g_steal_pointer(&device->operation));
  device->operation_serial = 0;
}

/* -- device information ------------------------------------------------------------------ */

static char *
info_field(PlBluezInfo *info, const PlUuid *uuid) {
  if (pl_uuid_equal(uuid, &manufacturer_uuid))
    return info->manufacturer;
  if (pl_uuid_equal(uuid, &model_uuid))
    return info->model;
  return pl_uuid_equal(uuid, &firmware_uuid) ? info->firmware : NULL;
}

bool
pl_bluez_is_info(const PlUuid *uuid) {
  PlBluezInfo none;
  return info_field(&none, uuid);
}

void
pl_bluez_read_info(PlBluezDevice *device) {
  queue_clear(&device->info_reads);
  for (guint i = 0; i < device->characteristics->len; i++) {
    const PlBluezCharacteristic *it = g_ptr_array_index(device->characteristics, i);
    if (!it->readable || !pl_bluez_is_info(&it->uuid))
      continue;
    PlBluezOperation *operation = g_new0(PlBluezOperation, 1);
    operation->info = true;
    operation->uuid = it->uuid;
    g_queue_push_tail(&device->info_reads, operation);
  }
  run_next(device);
}

static void
take_info(PlBluezDevice *device, const PlUuid *uuid, const PlLinkEvent *bytes) {
  PlBluez *self = device->bluez;

  pl_bluez_clean(bytes->data, bytes->length, info_field(&device->sensor->info, uuid));
  if (g_queue_is_empty(&device->info_reads) && self->informed)
    self->informed(device->sensor_index, self->data);
}

/* -- answers --------------------------------------------------------------------------- */

static PlLinkEvent
answer(const PlBluezOperation *operation, int adapter, int sensor, PlFailure failure) {
  PlLinkEvent event =
      pl_bluez_event(operation->write ? PL_LINK_WRITTEN : PL_LINK_VALUE, adapter, sensor);
  event.uuid = operation->uuid;
  event.ok = failure == PL_FAILURE_NONE;
  event.failure = failure;
  return event;
}

static void
post_failure(PlBluezDevice *device, const PlBluezOperation *operation, PlFailure failure) {
  PlLinkEvent event = answer(operation, device->adapter, device->sensor_index, failure);
  if (!operation->info)
    pl_bluez_post(device->bluez, &event);
}

static void
finish(PlBluezDevice *device, GVariant *reply, PlFailure failure) {
  g_autoptr(PlBluezOperation) operation = g_steal_pointer(&device->operation);
  g_autoptr(GVariant) value = NULL;
  PlLinkEvent bytes = {.length = 0};

  if (failure == PL_FAILURE_NONE && !operation->write) {
    value = g_variant_get_child_value(reply, 0);
    if (!pl_bluez_bytes(value, &bytes) || bytes.length > PL_VALUE_MAX)
      failure = PL_FAILURE_OTHER;
  }
  if (!operation->info) {
    PlLinkEvent event = answer(operation, device->adapter, device->sensor_index, failure);
    if (event.ok) {
      event.data = bytes.data;
      event.length = bytes.length;
    }
    pl_bluez_emit(device->bluez, &event);
  } else if (failure == PL_FAILURE_NONE) {
    take_info(device, &operation->uuid, &bytes);
  }
  run_next(device);
}

/* -- one operation at a time -------------------------------------------------------------- */

static gboolean on_busy_over(gpointer data);

static void
on_operation(const PlBluezCall *call, GVariant *reply, GUnixFDList *fds, const GError *error) {
  PlBluezDevice *device = pl_bluez_device_of(call->bluez, call->path);

  if (!device || !device->operation || device->operation_serial != call->serial)
    return;
  PlFailure failure = pl_bluez_failure(error, true);
  if (failure == PL_FAILURE_IN_PROGRESS && ++device->operation->tries < BUSY_TRIES) {
    device->operation_timer =
        pl_bluez_timer(device->bluez, BUSY_RETRY_MS, on_busy_over, device);
    return;
  }
  if (error && failure == PL_FAILURE_NONE)
    failure = PL_FAILURE_OTHER;
  finish(device, reply, failure);
}

static GVariant *
write_arguments(const PlBluezOperation *operation, bool with_answer) {
  GVariantBuilder options;

  g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&options, "{sv}", "type",
                        g_variant_new_string(with_answer ? "request" : "command"));
  return g_variant_new(
      "(@aya{sv})", g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, operation->value, TRUE),
      &options);
}

/* Sends device->operation.  False when its characteristic does not exist. */
static bool
run(PlBluezDevice *device) {
  const PlBluezOperation *operation = device->operation;
  const PlBluezCharacteristic *characteristic =
      pl_bluez_characteristic_of(device, &operation->uuid);

  if (!characteristic)
    return false;
  PlBluezCall *call = pl_bluez_call_new(device->bluez, characteristic->path, on_operation);
  call->serial = device->operation_serial = pl_bluez_serial(device->bluez);
  if (operation->write)
    pl_bluez_call_send(call, PL_BLUEZ_CHARACTERISTIC, "WriteValue",
                       write_arguments(operation, characteristic->answers_writes), NULL,
                       PL_BLUEZ_VALUE_MS);
  else
    pl_bluez_call_send(call, PL_BLUEZ_CHARACTERISTIC, "ReadValue",
                       g_variant_new("(a{sv})", NULL), "(ay)", PL_BLUEZ_VALUE_MS);
  return true;
}

static void
run_or_fail(PlBluezDevice *device) {
  if (run(device))
    return;
  post_failure(device, device->operation, PL_FAILURE_UNKNOWN_OBJECT);
  operation_free(g_steal_pointer(&device->operation));
}

/* What the core asks for goes before what is only nice to know. */
static void
run_next(PlBluezDevice *device) {
  while (!device->operation) {
    device->operation = g_queue_pop_head(&device->operations);
    if (!device->operation)
      device->operation = g_queue_pop_head(&device->info_reads);
    if (!device->operation)
      return;
    run_or_fail(device);
  }
}

static gboolean
on_busy_over(gpointer data) {
  PlBluezDevice *device = data;

  device->operation_timer = 0;
  run_or_fail(device);
  run_next(device);
  return G_SOURCE_REMOVE;
}

/* -- requests -------------------------------------------------------------------------- */

/* Takes the operation. */
static void
enqueue(PlBluez *self, int sensor, PlBluezOperation *operation) {
  bool known = sensor >= 0 && (size_t)sensor < self->sensor_count;
  PlBluezDevice *device = known ? self->sensors[sensor].link : NULL;

  if (!device || g_queue_get_length(&device->operations) >= QUEUE_MAX) {
    PlLinkEvent event = answer(operation, PL_NO_ADAPTER, sensor,
                               device ? PL_FAILURE_OTHER : PL_FAILURE_UNKNOWN_OBJECT);
    pl_bluez_post(self, &event);
    operation_free(operation);
    return;
  }
  g_queue_push_tail(&device->operations, operation);
  run_next(device);
}

void
pl_bluez_read(PlLink *link, int sensor, const PlUuid *uuid) {
  PlBluezOperation *operation = g_new0(PlBluezOperation, 1);

  operation->uuid = *uuid;
  enqueue((PlBluez *)link, sensor, operation);
}

void
pl_bluez_write(PlLink *link, int sensor, const PlUuid *uuid, const uint8_t *data,
               size_t length) {
  PlBluezOperation *operation = g_new0(PlBluezOperation, 1);

  operation->write = true;
  operation->uuid = *uuid;
  operation->value = g_bytes_new(data, length);
  enqueue((PlBluez *)link, sensor, operation);
}
