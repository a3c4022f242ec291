/* SPDX-License-Identifier: Apache-2.0 */

/* SIGHUP: another configuration, while sensors stay connected and runs go on. */

#include "gateway/app/gateway-private.h"

#include "gateway/app/exit.h"

#include "gateway/edge/notify.h"

/* Until then the links that stayed up have been found, and are not said to be absent. */
enum { ANNOUNCE_S = 3 };

/* Whether the broker would be spoken to in another way. */
static bool
same_broker(const PlConfig *a, const PlConfig *b) {
  const PlMqttConfig *x = &a->mqtt.connection, *y = &b->mqtt.connection;
  return g_strcmp0(x->host, y->host) == 0 && x->port == y->port && x->protocol == y->protocol &&
         x->tls == y->tls && g_strcmp0(x->ca_file, y->ca_file) == 0 &&
         g_strcmp0(x->username, y->username) == 0 &&
         g_strcmp0(x->password_file, y->password_file) == 0 &&
         g_strcmp0(x->client_cert, y->client_cert) == 0 &&
         g_strcmp0(x->client_key, y->client_key) == 0 &&
         g_strcmp0(x->psk_identity, y->psk_identity) == 0 &&
         g_strcmp0(x->psk_file, y->psk_file) == 0 &&
         g_strcmp0(a->gateway.name, b->gateway.name) == 0 &&
         g_strcmp0(a->mqtt.prefix, b->mqtt.prefix) == 0;
}

static void
change_broker(PlGateway *self) {
  g_autoptr(GError) error = NULL;
  PlMqtt *old = self->mqtt;
  pl_spool_closed(self->spool);
  pl_mqtt_stop(old, PL_GATEWAY_FAREWELL_US);
  pl_mqtt_free(old);
  pl_spool_set_prefix(self->spool, self->config->mqtt.prefix);
  if (!pl_gateway_open_mqtt(self, &error)) {
    g_critical("%s", error->message);
    pl_gateway_stop(self, PL_EXIT_CONFIG);
  }
}

/* Links stay up and runs go on: the new engine finds both as after a restart. */
static void
take_config(PlGateway *self, PlConfig *config) {
  PlConfig *old = self->config;
  PlPipeline *pipeline = self->pipeline;

  pl_store_flush(self->store, PL_GATEWAY_FLUSH_US, NULL);
  g_clear_pointer(&self->recorder, pl_recorder_free);
  self->config = config;
  self->pipeline = pl_gateway_make_pipeline(self);
  pl_pipeline_free(pipeline);
  self->source->attach(self->source, config, self->pipeline);
  pl_gateway_make_recorder(self);
  if (!same_broker(old, config)) {
    change_broker(self);
  } else {
    pl_gateway_send_info(self);
    self->announce_at = self->seconds + ANNOUNCE_S;
  }
  pl_ledger_event(self->pipeline->ledger, "config-reloaded", pl_gateway_now_us(self), NULL);
  pl_config_free(old);
}

/* The service manager is told the first problem, the log all of them. */
static void
refuse(const char *problems) {
  g_auto(GStrv) lines = g_strsplit(problems, "\n", -1);
  g_autofree char *status = g_strconcat("not reloaded: ", lines[0], NULL);

  for (char **line = lines; *line != NULL; line++)
    if (**line != '\0')
      g_warning("%s", *line);
  g_warning("the configuration is not reloaded; the old one goes on");
  pl_notify_ready();
  pl_notify_status(status);
}

gboolean
pl_gateway_reload(void *data) {
  PlGateway *self = data;
  g_autofree char *problems = NULL;
  PlConfig *config = NULL;

  pl_notify_reloading();
  if (self->options.source == PL_SOURCE_REPLAY)
    problems = g_strdup("a capture is played with the configuration that it began with");
  else
    config = pl_gateway_config(&self->options, NULL, &problems);
  if (config == NULL) {
    refuse(problems);
    return G_SOURCE_CONTINUE;
  }
  take_config(self, config);
  pl_gateway_schedule(self);
  pl_notify_ready();
  g_message("configuration reloaded");
  return G_SOURCE_CONTINUE;
}
