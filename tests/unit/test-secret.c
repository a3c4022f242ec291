/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/error.h"
#include "gateway/edge/secret.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "correct-horse"

typedef struct {
  char *directory, *path;
} Fixture;

static void
set_up(Fixture *self, const void *data) {
  self->directory = g_dir_make_tmp("secret-XXXXXX", NULL);
  self->path = g_build_filename(self->directory, "mqtt-password", NULL);
}

static void
tear_down(Fixture *self, const void *data) {
  g_unsetenv("CREDENTIALS_DIRECTORY");
  if (g_rmdir(self->path) < 0)
    g_unlink(self->path);
  g_rmdir(self->directory);
  g_free(self->path);
  g_free(self->directory);
}

static void
write_file(const Fixture *self, const char *text, size_t length, mode_t mode) {
  g_assert_true(g_file_set_contents(self->path, text, (gssize)length, NULL));
  g_assert_cmpint(chmod(self->path, mode), ==, 0);
}

/* A refusal names the file, never what is in it, and says so. */
static void
assert_refused(const Fixture *self, const char *why) {
  g_autoptr(GError) error = NULL;
  g_assert_false(pl_secret_check(self->path, &error));
  g_assert_nonnull(error);
  g_assert_nonnull(strstr(error->message, self->path));
  g_assert_nonnull(strstr(error->message, why));
  g_assert_null(strstr(error->message, SECRET));
  g_assert_null(pl_secret_read(self->path, NULL));
}

static void
test_good(Fixture *self, const void *data) {
  static const char *const texts[] = {SECRET, SECRET "\n", SECRET "\r\n"};
  static const mode_t modes[] = {0600, 0400};
  for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
    for (unsigned j = 0; j < G_N_ELEMENTS(modes); j++) {
      write_file(self, texts[i], strlen(texts[i]), modes[j]);
      g_autoptr(GError) error = NULL;
      g_autoptr(PlSecret) secret = pl_secret_read(self->path, &error);
      g_assert_no_error(error);
      g_assert_cmpstr(secret, ==, SECRET);
      g_assert_true(pl_secret_check(self->path, NULL));
    }
  }
}

/* Lines in between and spaces are part of it, as in a key. */
static void
test_whole(Fixture *self, const void *data) {
  write_file(self, " a\nb \n\n", 7, 0600);
  g_autoptr(PlSecret) secret = pl_secret_read(self->path, NULL);
  g_assert_cmpstr(secret, ==, " a\nb \n");
}

static void
test_open_to_others(Fixture *self, const void *data) {
  static const mode_t modes[] = {0644, 0640, 0604, 0620, 0602, 0601, 0610};
  for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
    write_file(self, SECRET, strlen(SECRET), modes[i]);
    assert_refused(self, "chmod 600");
  }
}

static void
test_symbolic_link(Fixture *self, const void *data) {
  g_autofree char *target = g_build_filename(self->directory, "target", NULL);
  g_assert_true(g_file_set_contents(target, SECRET, -1, NULL));
  g_assert_cmpint(chmod(target, 0600), ==, 0);
  g_assert_cmpint(symlink(target, self->path), ==, 0);
  assert_refused(self, "symbolic link");
  g_unlink(target);
}

static void
test_foreign_owner(Fixture *self, const void *data) {
  write_file(self, SECRET, strlen(SECRET), 0600);
  if (chown(self->path, 65534, 65534) < 0) {
    g_test_skip("only root can give a file away");
    return;
  }
  assert_refused(self, "user 65534");
}

static void
test_fifo(Fixture *self, const void *data) {
  g_assert_cmpint(mkfifo(self->path, 0600), ==, 0);
  assert_refused(self, "not a regular file");
}

static void
test_directory(Fixture *self, const void *data) {
  g_assert_cmpint(mkdir(self->path, 0700), ==, 0);
  assert_refused(self, "not a regular file");
}

static void
test_size(Fixture *self, const void *data) {
  g_autofree char *text = g_strnfill(PL_SECRET_MAX + 1, 'x');
  write_file(self, text, PL_SECRET_MAX + 1, 0600);
  assert_refused(self, "more than 4096 bytes");
  write_file(self, text, PL_SECRET_MAX, 0600);
  g_assert_true(pl_secret_check(self->path, NULL));
}

static void
test_empty(Fixture *self, const void *data) {
  write_file(self, "", 0, 0600);
  assert_refused(self, "is empty");
  write_file(self, "\n", 1, 0600);
  assert_refused(self, "is empty");
}

static void
test_binary(Fixture *self, const void *data) {
  write_file(self, "a\0b", 3, 0600);
  assert_refused(self, "text");
}

static void
test_missing(Fixture *self, const void *data) {
  g_autoptr(GError) error = NULL;
  g_assert_false(pl_secret_check(self->path, &error));
  g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_assert_nonnull(strstr(error->message, self->path));
}

/* -- from the service manager ---------------------------------------------------------- */

static void
assert_credential(const char *expected) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PlSecret) secret = NULL;
  g_assert_true(pl_secret_credential("mqtt-password", &secret, &error));
  g_assert_no_error(error);
  g_assert_cmpstr(secret, ==, expected);
}

static void
test_credential(Fixture *self, const void *data) {
  assert_credential(NULL); /* no directory */
  g_setenv("CREDENTIALS_DIRECTORY", self->directory, TRUE);
  assert_credential(NULL); /* nothing in it */
  write_file(self, "", 0, 0400);
  assert_credential(NULL);
  write_file(self, SECRET "\n", strlen(SECRET) + 1, 0400);
  assert_credential(SECRET);
  write_file(self, SECRET, strlen(SECRET), 0440); /* how an access list for one user shows */
  assert_credential(SECRET);

  write_file(self, SECRET, strlen(SECRET), 0444);
  g_autoptr(GError) error = NULL;
  g_autoptr(PlSecret) secret = NULL;
  g_assert_false(pl_secret_credential("mqtt-password", &secret, &error));
  g_assert_error(error, PL_ERROR, PL_ERROR_DATA);
  g_assert_null(secret);
}

static void
add(const char *name, void (*test)(Fixture *, const void *)) {
  g_autofree char *path = g_strconcat("/edge/secret/", name, NULL);
  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add("good", test_good);
  add("whole", test_whole);
  add("open-to-others", test_open_to_others);
  add("symbolic-link", test_symbolic_link);
  add("foreign-owner", test_foreign_owner);
  add("fifo", test_fifo);
  add("directory", test_directory);
  add("size", test_size);
  add("empty", test_empty);
  add("binary", test_binary);
  add("missing", test_missing);
  add("credential", test_credential);
  return g_test_run();
}
