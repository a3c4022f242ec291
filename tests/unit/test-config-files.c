/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/config-text.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files: those of the configuration, and those that it names. */

typedef struct {
  char *folder;
  char *main; /* plumbline.conf */
  PlConfigSurroundings surroundings;
} Fixture;

static char *
path_of(const Fixture *fixture, const char *name) {
  return g_build_filename(fixture->folder, name, NULL);
}

static void
write_bytes(const Fixture *fixture, const char *name, mode_t mode, const char *bytes,
            gssize length) {
  g_autofree char *path = path_of(fixture, name);
  g_autofree char *parent = g_path_get_dirname(path);
  g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
  g_assert_true(g_file_set_contents(path, bytes, length, NULL));
  g_assert_cmpint(g_chmod(path, mode), ==, 0);
}

static void
write_file(const Fixture *fixture, const char *name, mode_t mode, const char *text) {
  write_bytes(fixture, name, mode, text, -1);
}

static void
set_up(Fixture *fixture, const void *data) {
  fixture->folder = g_dir_make_tmp("plumbline-XXXXXX", NULL);
  g_assert_nonnull(fixture->folder);
  fixture->main = path_of(fixture, "plumbline.conf");
  fixture->surroundings = fake_surroundings;
  write_file(fixture, "plumbline.conf", 0644, "[athlete r1]\n");
}

static void
remove_folder(const char *folder) {
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
      remove_folder(path);
    else
      g_unlink(path);
  }
  g_rmdir(folder);
}

static void
tear_down(Fixture *fixture, const void *data) {
  remove_folder(fixture->folder);
  g_free(fixture->folder);
  g_free(fixture->main);
}

static PlConfig *
load(Fixture *fixture) {
  g_autoptr(PlProblems) problems = pl_problems_new();
  PlConfig *config = pl_config_load(fixture->main, &fixture->surroundings, problems);
  g_autofree char *report = pl_problems_text(problems);
  g_assert_cmpstr(report, ==, "");
  g_assert_nonnull(config);
  return config;
}

/* One problem, which begins with the path of `name` and goes on with `message`. */
static void
assert_problem(Fixture *fixture, const char *name, const char *message) {
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_autoptr(PlConfig) config = pl_config_load(fixture->main, &fixture->surroundings, problems);
  g_autofree char *report = pl_problems_text(problems);
  g_autofree char *path = path_of(fixture, name);
  g_autofree char *start = g_strdup_printf("%s:%s", path, message);

  g_assert_null(config);
  if (!g_str_has_prefix(report, start))
    g_error("expected \"%s\", got \"%s\"", start, report);
  g_assert_cmpuint(pl_problems_count(problems), ==, 1);
}

static void
test_alone(Fixture *fixture, const void *data) {
  g_autoptr(PlConfig) config = load(fixture);
  g_assert_cmpuint(config->athlete_count, ==, 1);
}

static void
test_missing(Fixture *fixture, const void *data) {
  g_unlink(fixture->main);
  assert_problem(fixture, "plumbline.conf",
                 "1: the file can not be read: No such file or directory");
}

static void
test_writable(Fixture *fixture, const void *data) {
  g_chmod(fixture->main, 0664);
  assert_problem(fixture, "plumbline.conf",
                 "1: others may write to the file (mode 0664): chmod 0644 ");
  g_chmod(fixture->main, 0602);
  assert_problem(fixture, "plumbline.conf",
                 "1: others may write to the file (mode 0602): chmod 0600 ");
}

static void
test_folder(Fixture *fixture, const void *data) {
  g_unlink(fixture->main);
  g_assert_cmpint(g_mkdir(fixture->main, 0755), ==, 0);
  assert_problem(fixture, "plumbline.conf", "1: this is no regular file");
}

/* Does not wait for somebody to write into it. */
static void
test_fifo(Fixture *fixture, const void *data) {
  g_unlink(fixture->main);
  g_assert_cmpint(mkfifo(fixture->main, 0600), ==, 0);
  assert_problem(fixture, "plumbline.conf", "1: this is no regular file");
}

static void
test_link(Fixture *fixture, const void *data) {
  g_autofree char *target = path_of(fixture, "other");
  g_assert_cmpint(g_rename(fixture->main, target), ==, 0);
  g_assert_cmpint(symlink(target, fixture->main), ==, 0);
  g_autoptr(PlConfig) config = load(fixture);
  g_assert_cmpuint(config->athlete_count, ==, 1);
}

static void
test_size(Fixture *fixture, const void *data) {
  g_autofree char *comment = g_strnfill(PL_CONFIG_FILE_MAX, '#');
  write_bytes(fixture, "plumbline.conf", 0644, comment, PL_CONFIG_FILE_MAX - 1);
  pl_config_free(load(fixture));
  write_bytes(fixture, "plumbline.conf", 0644, comment, PL_CONFIG_FILE_MAX);
  pl_config_free(load(fixture));
  g_autofree char *longer = g_strconcat(comment, "#", NULL);
  write_file(fixture, "plumbline.conf", 0644, longer);
  assert_problem(fixture, "plumbline.conf", "1: the file has more than 64 KiB");
}

/* In the order of names, with what editors leave behind left alone. */
static void
test_drop_ins(Fixture *fixture, const void *data) {
  write_file(fixture, "plumbline.conf", 0644, "[mqtt]\nport = 1\nusername = a\n");
  write_file(fixture, "conf.d/90-b.conf", 0644, "[mqtt]\nport = 3\n");
  write_file(fixture, "conf.d/10-a.conf", 0644, "[mqtt]\nport = 2\nprefix = p\n");
  write_file(fixture, "conf.d/95.conf~", 0666, "nothing");
  write_file(fixture, "conf.d/.96.conf", 0644, "nothing");
  g_autoptr(PlConfig) config = load(fixture);
  g_assert_cmpint(config->mqtt.connection.port, ==, 3);
  g_assert_cmpstr(config->mqtt.connection.username, ==, "a");
  g_assert_cmpstr(config->mqtt.prefix, ==, "p");
  g_autofree char *shown = pl_config_show(config);
  g_autofree char *place =
      g_strdup_printf("# %s/conf.d/90-b.conf:2\nport = 3\n", fixture->folder);
  g_assert_nonnull(strstr(shown, place));
}

static void
test_drop_in_problems(Fixture *fixture, const void *data) {
  write_file(fixture, "conf.d/10.conf", 0644, "[athlete r1]\nborn = x\n");
  assert_problem(fixture, "conf.d/10.conf", "2: born: expected a year or a date");
  write_file(fixture, "conf.d/10.conf", 0646, "[athlete r1]\n");
  assert_problem(fixture, "conf.d/10.conf", "1: others may write to the file (mode 0646)");
  write_file(fixture, "conf.d/10.conf", 0644, "");
  g_autofree char *folder = path_of(fixture, "conf.d");
  g_chmod(folder, 0777);
  assert_problem(fixture, "conf.d", "1: others may add files to the folder (mode 0777)");
  g_chmod(folder, 0755);
  pl_config_free(load(fixture));
}

static void
test_folder_is_a_file(Fixture *fixture, const void *data) {
  write_file(fixture, "conf.d", 0644, "");
  assert_problem(fixture, "conf.d", "1: ");
}

static void
test_too_many_files(Fixture *fixture, const void *data) {
  for (unsigned i = 0; i <= PL_CONFIG_FILES_MAX; i++) {
    g_autofree char *name = g_strdup_printf("conf.d/%03u.conf", i);
    write_file(fixture, name, 0644, "");
  }
  assert_problem(fixture, "conf.d", "1: the folder has more than 256 files");
}

/* All that is wrong, main file first. */
static void
test_report(Fixture *fixture, const void *data) {
  g_autoptr(PlProblems) problems = pl_problems_new();
  write_file(fixture, "plumbline.conf", 0644, "[mqtt]\n\nport = x\n[sensor s]\n");
  write_file(fixture, "conf.d/b.conf", 0644, "[run]\nlap = 1\n");
  write_file(fixture, "conf.d/a.conf", 0644, "[run\n");
  g_assert_null(pl_config_load(fixture->main, &fixture->surroundings, problems));
  g_autofree char *text = pl_problems_text(problems);
  g_autoptr(GString) report = g_string_new(text);
  g_string_replace(report, fixture->folder, "", 0);
  g_assert_cmpstr(
      report->str, ==,
      "/plumbline.conf:3: port: expected a whole number from 1 to 65535, got \"x\"\n"
      "/plumbline.conf:4: [sensor s]: needs address = AA:BB:CC:DD:EE:FF\n"
      "/conf.d/a.conf:1: the name of a group ends with ]\n"
      "/conf.d/b.conf:2: unknown key \"lap\" in [run]; did you mean lap-m?\n");
}

static void
test_extra(Fixture *fixture, const void *data) {
  static const char text[] = "[athlete r2]\n";
  PlConfigSource extra = {.name = "more", .bytes = text, .length = sizeof text - 1};
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_autoptr(PlConfig) both =
      pl_config_load_with(fixture->main, &extra, &fixture->surroundings, problems);
  g_autoptr(PlConfig) one = pl_config_load_with(NULL, &extra, &fixture->surroundings, problems);
  g_assert_cmpuint(both->athlete_count, ==, 2);
  g_assert_cmpuint(one->athlete_count, ==, 1);
}

static void
write_mqtt(const Fixture *fixture, const char *lines) {
  g_autofree char *text = g_strdup_printf("[mqtt]\nusername = pi\n%s", lines);
  write_file(fixture, "plumbline.conf", 0644, text);
}

/* F-85: whatever is not a closed file of its own is refused, and never quoted. */
static void
test_secret(Fixture *fixture, const void *data) {
  g_autofree char *path = path_of(fixture, "secret");
  g_autofree char *lines = g_strdup_printf("password-file = %s\n", path);
  g_autofree char *start = g_strdup_printf("3: password-file: %s ", path);
  g_autofree char *much = g_strnfill(5000, 'x');
  g_autofree char *other = path_of(fixture, "other");

  write_mqtt(fixture, lines);
  assert_problem(fixture, "plumbline.conf", "3: password-file: cannot read ");
  write_file(fixture, "secret", 0600, "hunter2\n");
  pl_config_free(load(fixture));
  g_chmod(path, 0644);
  assert_problem(fixture, "plumbline.conf", start);
  g_chmod(path, 0640);
  assert_problem(fixture, "plumbline.conf", start);
  write_file(fixture, "secret", 0600, "");
  assert_problem(fixture, "plumbline.conf", start);
  write_file(fixture, "secret", 0600, much);
  assert_problem(fixture, "plumbline.conf", start);
  g_unlink(path);
  write_file(fixture, "other", 0600, "hunter2\n");
  g_assert_cmpint(symlink(other, path), ==, 0);
  assert_problem(fixture, "plumbline.conf", start);
  g_unlink(path);
  g_assert_cmpint(mkfifo(path, 0600), ==, 0);
  assert_problem(fixture, "plumbline.conf", start);
  g_unlink(path);
  g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
  assert_problem(fixture, "plumbline.conf", start);

  fixture->surroundings.without_broker = true;
  pl_config_free(load(fixture));
}

static void
test_foreign_secret(Fixture *fixture, const void *data) {
  if (geteuid() != 0) {
    g_test_skip("only root can give files away");
    return;
  }
  g_autofree char *path = path_of(fixture, "secret");
  g_autofree char *lines = g_strdup_printf("password-file = %s\n", path);
  g_autofree char *start = g_strdup_printf("3: password-file: %s belongs to user", path);
  write_mqtt(fixture, lines);
  write_file(fixture, "secret", 0600, "hunter2\n");
  g_assert_cmpint(chown(path, 65534, 65534), ==, 0);
  assert_problem(fixture, "plumbline.conf", start);
}

static void
test_keys_and_certificates(Fixture *fixture, const void *data) {
  g_autofree char *ca = path_of(fixture, "ca.pem");
  g_autofree char *lines = g_strdup_printf("psk-identity = pi\npsk-file = %s\n", ca);

  write_mqtt(fixture, lines);
  assert_problem(fixture, "plumbline.conf", "4: psk-file: cannot read ");
  write_file(fixture, "ca.pem", 0600, "00ff11aa22bb33cc\n");
  pl_config_free(load(fixture));

  g_autofree char *tls = g_strdup_printf("host = b\ntls = %s\n", ca);
  write_mqtt(fixture, tls);
  g_unlink(ca);
  assert_problem(fixture, "plumbline.conf", "4: tls: ");
  g_assert_cmpint(g_mkdir(ca, 0700), ==, 0);
  assert_problem(fixture, "plumbline.conf", "4: tls: ");
  g_rmdir(ca);
  /* Readable, but no certificate: the library of the connection says so. */
  write_file(fixture, "ca.pem", 0644, "nothing\n");
  assert_problem(fixture, "plumbline.conf", "1: ");
}

static void
test_zone(Fixture *fixture, const void *data) {
  g_autoptr(GTimeZone) berlin = g_time_zone_new_identifier("Europe/Berlin");
  write_file(fixture, "plumbline.conf", 0644, "[gateway]\ntimezone = Europe/Bern-Lin\n");
  assert_problem(fixture, "plumbline.conf", "2: timezone: this system knows no zone");
  write_file(fixture, "plumbline.conf", 0644, "[gateway]\ntimezone = UTC\n");
  pl_config_free(load(fixture));
  if (berlin == NULL)
    return; /* a system without tzdata */
  write_file(fixture, "plumbline.conf", 0644, "[gateway]\ntimezone = Europe/Berlin\n");
  pl_config_free(load(fixture));
}

static void
test_names(Fixture *fixture, const void *data) {
  g_autofree char *path = path_of(fixture, "names");
  g_autofree char *text =
      g_strdup_printf("[athlete r1]\n[athlete r2]\n[gateway]\nnames-file = %s\n", path);

  write_file(fixture, "plumbline.conf", 0644, text);
  assert_problem(fixture, "plumbline.conf", "4: names-file: ");
  write_file(fixture, "names", 0640, "# people\n[names]\nr1 = J\xc3\xbcrgen T.\nr9 = Other\n");
  g_autoptr(PlConfig) config = load(fixture);
  g_assert_cmpstr(config->athletes[0].name, ==, "J\xc3\xbcrgen T.");
  g_assert_null(config->athletes[1].name);

  g_chmod(path, 0644);
  assert_problem(fixture, "plumbline.conf", "4: names-file: ");
  g_chmod(path, 0660);
  assert_problem(fixture, "plumbline.conf", "4: names-file: ");
  write_file(fixture, "names", 0600, "[names]\nr1 = A\nr1 = B\n");
  assert_problem(fixture, "names", "3: \"r1\": this athlete has a name already");
  write_file(fixture, "names", 0600, "[names]\nR1 = A\n");
  assert_problem(fixture, "names", "2: \"R1\": expected an id");
  write_file(fixture, "names", 0600, "r1 = A\n");
  assert_problem(fixture, "names", "1: expected [names] before");
  write_file(fixture, "names", 0600, "[names]\nr1 =\n");
  assert_problem(fixture, "names", "2: \"r1\": expected a name of 1 to 64 characters");
  write_file(fixture, "names", 0600, "[names]\n[other]\n");
  assert_problem(fixture, "names", "2: expected one group [names] and no other");
  write_file(fixture, "names", 0600, "[names]\nr1\n");
  assert_problem(fixture, "names", "2: expected [group], key = value");
}

static void
test_surroundings(void) {
  PlConfigSurroundings surroundings;
  g_autofree char *expected = NULL;

  g_setenv("STATE_DIRECTORY", "/var/lib/plumbline:/var/lib/other", TRUE);
  pl_config_surroundings(&surroundings);
  g_assert_cmpstr(surroundings.state_directory, ==, "/var/lib/plumbline");
  g_assert_cmpint(surroundings.year, >=, 2025);
  g_assert_cmpuint(surroundings.driver_count, >, 0);
  g_assert_cmpstr(surroundings.host_name, !=, "");
  g_unsetenv("STATE_DIRECTORY");
  pl_config_surroundings(&surroundings);
  expected = g_build_filename(g_get_user_state_dir(), "plumbline", NULL);
  g_assert_cmpstr(surroundings.state_directory, ==, expected);
}

#define ADD(name, function)                                                                    \
  g_test_add("/app/config-files/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  ADD("alone", test_alone);
  ADD("missing", test_missing);
  ADD("writable", test_writable);
  ADD("folder", test_folder);
  ADD("fifo", test_fifo);
  ADD("link", test_link);
  ADD("size", test_size);
  ADD("drop-ins", test_drop_ins);
  ADD("drop-in-problems", test_drop_in_problems);
  ADD("folder-is-a-file", test_folder_is_a_file);
  ADD("too-many-files", test_too_many_files);
  ADD("report", test_report);
  ADD("extra", test_extra);
  ADD("secret", test_secret);
  ADD("foreign-secret", test_foreign_secret);
  ADD("keys-and-certificates", test_keys_and_certificates);
  ADD("zone", test_zone);
  ADD("names", test_names);
  g_test_add_func("/app/config-files/surroundings", test_surroundings);
  return g_test_run();
}
