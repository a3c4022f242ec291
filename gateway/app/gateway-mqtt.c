/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app/gateway-private.h"

/* What the broker is told on every connection, in this order: what the gateway is, the newest
 * of every state, that it is online; then what waited. */
static void
on_connected(void *data, const PlMqttConnection *connection) {
  PlGateway *self = data;
  g_message("connected to the broker, MQTT %s",
            connection->protocol == PL_MQTT_5 ? "5" : "3.1.1");
  pl_spool_opened(self->spool, connection->window,
                  pl_wall_us(&self->wall, pl_gateway_now_us(self)));
  pl_gateway_send_info(self);
  pl_ledger_announce(self->pipeline->ledger);
  pl_gateway_send_health(self);
  pl_gateway_send_status(self);
  pl_spool_release(self->spool);
}

static void
begin_spooling(PlGateway *self, const char *why) {
  if (self->spooling)
    return;
  self->spooling = true;
  pl_ledger_event(self->pipeline->ledger, "spool-start", pl_gateway_now_us(self), why);
}

static void
on_disconnected(void *data, PlMqttProblem problem, const char *text) {
  PlGateway *self = data;
  (void)problem;
  pl_spool_closed(self->spool);
  if (self->stopping)
    return;
  g_warning("broker: %s; what must not be lost is kept on disk until it is back", text);
  begin_spooling(self, text);
}

static void
on_failed(void *data, PlMqttProblem problem, const char *text) {
  PlGateway *self = data;
  if (self->stopping)
    return;
  g_warning("broker: %s. %s", text, pl_mqtt_problem_hint(problem));
  begin_spooling(self, text);
}

static void
on_acknowledged(void *data, const PlMqttAck *ack) {
  PlGateway *self = data;
  pl_spool_acknowledged(self->spool, ack);
}

static void
on_writable(void *data) {
  PlGateway *self = data;
  pl_spool_writable(self->spool);
}

/* A name of this machine and this gateway, and nothing that tells which machine. */
static char *
make_client_id(const PlGateway *self) {
  g_autofree char *machine = NULL;
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  if (!g_file_get_contents("/etc/machine-id", &machine, NULL, NULL))
    machine = g_strdup(g_get_host_name());
  g_checksum_update(sum, (const guchar *)"plumbline ", -1);
  g_checksum_update(sum, (const guchar *)g_strstrip(machine), -1);
  g_checksum_update(sum, (const guchar *)self->config->storage.directory, -1);
  return g_strdup_printf("plumblined-%.12s", g_checksum_get_string(sum));
}

bool
pl_gateway_open_mqtt(PlGateway *self, GError **error) {
  static const PlMqttHandler handler = {
      .connected = on_connected,
      .disconnected = on_disconnected,
      .failed = on_failed,
      .acknowledged = on_acknowledged,
      .writable = on_writable,
  };
  PlMqttConfig config = self->config->mqtt.connection;
  if (self->client_id == NULL)
    self->client_id = make_client_id(self);
  g_free(self->will_topic);
  self->will_topic = pl_gateway_topic(self, PL_TOPIC_GATEWAY_STATUS);
  config.client_id = self->client_id;
  config.will_topic = self->will_topic;
  config.will_payload = "{\"state\":\"offline\"}";
  config.clock_synced = self->wall.synced;
  self->mqtt = pl_mqtt_new(&config, &handler, self, error);
  if (self->mqtt == NULL)
    return false;
  pl_spool_attach(self->spool, self->mqtt);
  return true;
}
