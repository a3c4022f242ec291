/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/mqtt-private.h"

#include "gateway/edge/error.h"
#include "gateway/edge/secret.h"

#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

/* The context is made here and not by libmosquitto 2.0.11, because that one
 *  - cannot keep a connection with a pre-shared key from ending up in TLS 1.3 with a broker
 * that knows no key at all and shows a certificate nobody checks,
 *  - does not tell why a certificate was refused: one that is not valid yet is a matter of our
 *    clock, and the remedy another one,
 *  - asks the terminal for the password of a key. */

enum { PSK_MAX = 64 }; /* bytes */

/* Forward secrecy where the broker can, never without encryption. */
#define PSK_CIPHERS "kECDHEPSK:kDHEPSK:kPSK:!eNULL"

struct PlMqttTls {
  SSL_CTX *context;
  char *identity;
  unsigned char key[PSK_MAX];
  size_t key_length;
  int refusal; /* X509_V_... of the last certificate */
};

/* Takes the reason from OpenSSL. */
static bool
fail(GError **error, const char *what, const char *path) {
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());
  g_set_error(error, PL_ERROR, PL_ERROR_DATA, "%s %s: %s", what, path,
              reason ? reason : "unknown error");
  ERR_clear_error();
  return false;
}

static int
no_password(char *buffer, int size, int writing, void *data) {
  return 0;
}

/* Notes the first thing that is wrong in a chain. */
static int
on_verified(int good, X509_STORE_CTX *store) {
  const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  PlMqttTls *self = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
  if (!good)
    self->refusal = X509_STORE_CTX_get_error(store);
  return good;
}

static unsigned
on_psk_wanted(SSL *ssl, const char *hint, char *identity, unsigned identity_size,
              unsigned char *key, unsigned key_size) {
  const PlMqttTls *self = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
  if (strlen(self->identity) >= identity_size || self->key_length > key_size)
    return 0;
  g_strlcpy(identity, self->identity, identity_size);
  memcpy(key, self->key, self->key_length);
  return (unsigned)self->key_length;
}

static bool
read_psk(PlMqttTls *self, const char *path, GError **error) {
  g_autoptr(PlSecret) digits = pl_secret_read(path, error);
  if (!digits)
    return false;
  size_t count = strlen(digits);
  bool good = count % 2 == 0 && count / 2 <= PSK_MAX;
  for (size_t i = 0; good && i < count; i++)
    good = g_ascii_isxdigit(digits[i]);
  if (!good) {
    g_set_error(error, PL_ERROR, PL_ERROR_DATA,
                "%s does not hold a key of up to %d bytes in hexadecimal digits", path,
                PSK_MAX);
    return false;
  }
  self->key_length = count / 2;
  for (size_t i = 0; i < self->key_length; i++)
    self->key[i] = (unsigned char)(g_ascii_xdigit_value(digits[2 * i]) << 4 |
                                   g_ascii_xdigit_value(digits[2 * i + 1]));
  return true;
}

/* Up to TLS 1.2, where the cipher says that both sides know the key. */
static bool
use_psk(PlMqttTls *self, const PlMqttConfig *config, GError **error) {
  if (!read_psk(self, config->psk_file, error))
    return false;
  self->identity = g_strdup(config->psk_identity);
  SSL_CTX_set_max_proto_version(self->context, TLS1_2_VERSION);
  SSL_CTX_set_psk_client_callback(self->context, on_psk_wanted);
  if (SSL_CTX_set_cipher_list(self->context, PSK_CIPHERS) != 1)
    return fail(error, "cannot use", "psk-file");
  return true;
}

static bool
expect_host(PlMqttTls *self, const char *host, GError **error) {
  X509_VERIFY_PARAM *param = SSL_CTX_get0_param(self->context);
  g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  int done = address ? X509_VERIFY_PARAM_set1_ip_asc(param, host)
                     : X509_VERIFY_PARAM_set1_host(param, host, 0);
  return done == 1 || fail(error, "cannot check the certificate of", host);
}

static bool
trust(PlMqttTls *self, const PlMqttConfig *config, GError **error) {
  int done = config->ca_file ? SSL_CTX_load_verify_file(self->context, config->ca_file)
                             : SSL_CTX_set_default_verify_paths(self->context);
  if (done != 1)
    return fail(error, "no certificate authority in",
                config->ca_file ? config->ca_file : "the system");
  SSL_CTX_set_verify(self->context, SSL_VERIFY_PEER, on_verified);
  return expect_host(self, config->host, error);
}

static bool
show_certificate(PlMqttTls *self, const PlMqttConfig *config, GError **error) {
  if (!config->client_cert)
    return true;
  if (SSL_CTX_use_certificate_chain_file(self->context, config->client_cert) != 1)
    return fail(error, "no certificate in", config->client_cert);
  if (SSL_CTX_use_PrivateKey_file(self->context, config->client_key, SSL_FILETYPE_PEM) != 1)
    return fail(error, "no key without a password that fits client-cert in",
                config->client_key);
  return true;
}

PlMqttTls *
pl_mqtt_tls_new(const PlMqttConfig *config, GError **error) {
  g_autoptr(PlMqttTls) self = g_new0(PlMqttTls, 1);
  ERR_clear_error();
  self->context = SSL_CTX_new(TLS_client_method());
  if (!self->context) {
    fail(error, "cannot start", "TLS");
    return NULL;
  }
  SSL_CTX_set_app_data(self->context, self);
  SSL_CTX_set_min_proto_version(self->context, TLS1_2_VERSION);
  SSL_CTX_set_options(self->context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(self->context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(self->context, no_password);

  bool good = config->psk_identity
                  ? use_psk(self, config, error)
                  : trust(self, config, error) && show_certificate(self, config, error);
  return good ? g_steal_pointer(&self) : NULL;
}

void *
pl_mqtt_tls_context(PlMqttTls *self) {
  return self->context;
}

const char *
pl_mqtt_tls_refusal(const PlMqttTls *self) {
  return self->refusal == X509_V_OK ? NULL : X509_verify_cert_error_string(self->refusal);
}

bool
pl_mqtt_tls_refused_for_time(const PlMqttTls *self) {
  return self->refusal == X509_V_ERR_CERT_NOT_YET_VALID ||
         self->refusal == X509_V_ERR_CERT_HAS_EXPIRED;
}

void
pl_mqtt_tls_free(PlMqttTls *self) {
  if (!self)
    return;
  SSL_CTX_free(self->context);
  explicit_bzero(self->key, sizeof self->key);
  g_free(self->identity);
  g_free(self);
}
