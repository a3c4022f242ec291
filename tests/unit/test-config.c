/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/config-text.h"

#include <string.h>

/* Every mistake, at its line and with its words. */

typedef struct {
  const char *name;
  const char *text;
  const char *problems[6]; /* how each line of the report begins, after "t.conf:" */
} Case;

#define SENSOR "[sensor strap]\naddress = A0:9E:1A:00:00:01\n"

static const Case syntax[] = {
    {"empty", "", {NULL}},
    {"comments", "# a\n\n   # b\n\t\n", {NULL}},
    {"no-newline", "[mqtt]\nport = 1884", {NULL}},
    {"crlf", "[mqtt]\r\nport = 1884\r\n# c\r\n", {NULL}},
    {"crlf-line", "[mqtt]\r\n\r\nport = x\r\n", {"3: port: expected"}},
    {"cr-end", "[mqtt]\r", {"1: nothing may follow the ] of a group"}},
    {"blanks", "  [mqtt]  \n\t port\t=  1884 \t\n", {NULL}},
    {"mark",
     "\xef\xbb\xbf[mqtt]\nport = 0\n",
     {"1: the file starts with a byte order mark", "2: port: expected"}},
    {"no-group", "port = 1\nhost = x\n", {"1: the key \"port\" stands", "2: the key \"host\""}},
    {"no-equals", "[mqtt]\nport\n", {"2: expected [group], key = value"}},
    {"no-key", "[mqtt]\n= 5\n", {"2: there is no key before the ="}},
    {"semicolon", "[mqtt]\n; port = 5\n", {"2: a comment starts with #"}},
    {"semicolon-text", "; text\n", {"1: a comment starts with #"}},
    {"open-group",
     "[mqtt\nport = x\n[run]\nlap-m = x\n",
     {"1: the name of a group ends with ]", "4: lap-m: expected 0 or a number from 10"}},
    {"open-later",
     "[run]\n[mqtt\nlap-m = x\n[mqtt]\nport = x\n",
     {"2: the name of a group ends with ]", "5: port: expected a whole number"}},
    {"behind-group", "[mqtt] # broker\n", {"1: nothing may follow the ] of a group"}},
    {"behind-value",
     "[mqtt]\nport = 1883 # x\n",
     {"2: port: expected a whole number from 1 to 65535, got \"1883 # x\"; a comment needs a "
      "line of its own"}},
    {"latin-1",
     "[mqtt]\n# L\xe4ufer\nusername = L\xe4ufer\n",
     {"2: the line is not UTF-8", "3: the line is not UTF-8"}},
    {"escape", "[mqtt]\nusername = a\\sb\\n\\q\n", {"2: username: after a \\ only s, n, t"}},
    {"escape-end", "[mqtt]\nusername = a\\\n", {"2: username: after a \\ only"}},
    {"control", "[mqtt]\nusername = a\\tb\n", {"2: username: expected a text of at most 128"}},
    {"terminal",
     "[mqtt]\nport = \x1b[2J\n",
     {"2: port: expected a whole number from 1 to 65535, got \"\\x1b[2J\""}},
};

static const Case groups[] = {
    {"unknown",
     "[broker]\nhost = x\n",
     {"1: unknown group \"broker\"; expected one of gateway"}},
    {"near", "[Mqtt]\n", {"1: unknown group \"Mqtt\"; did you mean [mqtt]?"}},
    {"plural", "[athletes r1]\n", {"1: unknown group \"athletes\"; did you mean [athlete]?"}},
    {"nameless", "[]\n[ ]\n", {"1: unknown group \"\"", "2: unknown group \"\""}},
    {"tab", "[athlete\tr1]\n", {"1: unknown group \"athlete\\x09r1\""}},
    {"no-id",
     "[sensor]\n",
     {"1: [sensor]: expected an id behind the name, as in [sensor strap]"}},
    {"needless-id", "[mqtt home]\n", {"1: [mqtt]: this group takes no id"}},
    {"two-ids", "[athlete r1 r2]\n", {"1: [athlete]: too many words"}},
    {"capitals",
     "[athlete R1]\nborn = x\n",
     {"1: [athlete]: expected an id of 1 to 32 of a-z, 0-9 and -, got \"R1\""}},
    {"umlaut", "[shoe grün]\n", {"1: [shoe]: expected an id"}},
    {"underscore", "[athlete r_1]\n", {"1: [athlete]: expected an id"}},
    {"longest-id", "[athlete abcdefghijklmnopqrstuvwxyz012345]\n", {NULL}},
    {"too-long-id",
     "[athlete abcdefghijklmnopqrstuvwxyz0123456]\n",
     {"1: [athlete]: expected"}},
    {"twice",
     "[mqtt]\nport = 1\n[run]\n[mqtt]\nport = 2\nhost = localhost\n",
     {"4: [mqtt]: this group stands in the file already",
      "5: port: already set in line 2 of this file"}},
    {"twice-blank", "[athlete r1]\n[athlete  r1]\n", {"2: [athlete r1]: this group stands"}},
    {"same-id", "[athlete r1]\n[shoe r1]\n", {NULL}},
    {"code", "[warning head-up]\n", {"1: [warning]: there is no warning \"head-up\""}},
    {"near-code",
     "[warning trunk-laen]\n",
     {"1: [warning]: there is no warning \"trunk-laen\"; did you mean [warning trunk-lean]?"}},
    {"code-person",
     "[warning trunk-lean r9]\n[athlete r1]\n",
     {"1: [warning trunk-lean r9]: there is no [athlete r9] group"}},
    {"code-three", "[warning trunk-lean r1 r2]\n", {"1: [warning]: too many words"}},
};

static const Case keys[] = {
    {"twice", "[mqtt]\nport = 1\n\nport = 1\n", {"4: port: already set in line 2"}},
    {"thrice",
     "[mqtt]\nport=1\nport=2\nport=3\n",
     {"3: port: already set in line 2", "4: port: already set in line 2"}},
    {"near", "[mqtt]\nprot = 1\n", {"2: unknown key \"prot\" in [mqtt]; did you mean port?"}},
    {"underscore",
     "[athlete r1]\nmax_heart_rate = 190\n",
     {"2: unknown key \"max_heart_rate\" in [athlete r1]; did you mean max-heart-rate?"}},
    {"first-part",
     "[mqtt]\npassword = secret\n",
     {"2: unknown key \"password\" in [mqtt]; did you mean password-file?"}},
    {"elsewhere",
     "[gateway]\nhost = x\n",
     {"2: unknown key \"host\" in [gateway]; it belongs to [mqtt]"}},
    {"elsewhere-id",
     "[mqtt]\nborn = 1986\n",
     {"2: unknown key \"born\" in [mqtt]; it belongs to [athlete ID]"}},
    {"far", "[run]\nxyzzy = 1\n", {"2: unknown key \"xyzzy\" in [run]"}},
    {"capitals",
     "[mqtt]\nPort = 1\n",
     {"2: unknown key \"Port\" in [mqtt]; did you mean port?"}},
    {"all-capitals",
     "[bluetooth]\nMAX-LINKS = 5\n",
     {"2: unknown key \"MAX-LINKS\" in [bluetooth]; did you mean max-links?"}},
    {"places", "[mqtt]\ntsl = no\n", {"2: unknown key \"tsl\" in [mqtt]; did you mean tls?"}},
    {"locale", "[mqtt]\nhost[de] = x\n", {"2: unknown key \"host[de]\" in [mqtt]"}},
    {"all",
     "[mqtt]\nx=1\n[foo]\ny=1\n[run]\nz=1\nlap-m = z\n",
     {"2: unknown key \"x\"", "3: unknown group \"foo\"", "6: unknown key \"z\"",
      "7: lap-m: expected"}},
};

static const Case values[] = {
    {"word",
     "[gateway]\nrole = alone\n",
     {"2: role: expected standalone, edge or fusion, got \"alone\""}},
    {"word-case", "[gateway]\nlanguage = DE\n", {"2: language: expected en or de, got \"DE\""}},
    {"bool",
     "[mqtt]\nhome-assistant = yes\n",
     {"2: home-assistant: expected true or false, got \"yes\""}},
    {"bool-case", "[mqtt]\nhome-assistant = True\n", {"2: home-assistant: expected true"}},
    {"whole",
     "[mqtt]\nport = 12x\n",
     {"2: port: expected a whole number from 1 to 65535, got \"12x\""}},
    {"whole-low", "[mqtt]\nport = 0\n", {"2: port: expected"}},
    {"whole-high", "[mqtt]\nport = 65536\n", {"2: port: expected"}},
    {"whole-huge", "[mqtt]\nport = 18446744073709551617\n", {"2: port: expected"}},
    {"whole-hex", "[mqtt]\nport = 0x10\n", {"2: port: expected"}},
    {"whole-point", "[mqtt]\nport = 1883.0\n", {"2: port: expected"}},
    {"whole-empty",
     "[mqtt]\nport =\n",
     {"2: port: expected a whole number from 1 to 65535, got \"\""}},
    {"links",
     "[bluetooth]\nmax-links = 65\n",
     {"2: max-links: expected auto or a whole number from 1 to 64, got \"65\""}},
    {"links-0", "[bluetooth]\nmax-links = 0\n", {"2: max-links: expected auto"}},
    {"number",
     "[athlete r1]\nmass-kg = 19.9\n",
     {"2: mass-kg: expected a number from 20 to 300, got \"19.9\""}},
    {"number-comma",
     "[athlete r1]\nmass-kg = 72,5\n",
     {"2: mass-kg: expected a number from 20 to 300, got \"72,5\"; decimals stand behind a"}},
    {"number-words",
     "[athlete r1]\nmass-kg = inf\nheight-cm = nan\nthreshold-speed = 0x3\n",
     {"2: mass-kg: expected", "3: height-cm: expected", "4: threshold-speed: expected"}},
    {"number-unit",
     "[athlete r1]\nheight-cm = 180 cm\n",
     {"2: height-cm: expected a number from 80 to 260, got \"180 cm\""}},
    {"lap", "[run]\nlap-m = 9\n", {"2: lap-m: expected 0 or a number from 10 to 100000"}},
    {"quotes",
     "[mqtt]\nhost = \"localhost\"\n",
     {"2: host: expected a name, an address or the path of a unix socket, got "
      "\"\"localhost\"\"; values stand without quotes"}},
    {"scheme", "[mqtt]\nhost = mqtt://localhost\n", {"2: host: expected no scheme"}},
    {"host-port", "[mqtt]\nhost = localhost:1883\n", {"2: host: expected no port here"}},
    {"host-empty", "[mqtt]\nhost =\n", {"2: host: expected a name"}},
    {"host-dots", "[mqtt]\nhost = broker..example\n", {"2: host: expected a name"}},
    {"host-blank", "[mqtt]\nhost = my broker\n", {"2: host: expected a name"}},
    {"tls",
     "[mqtt]\ntls = yes\n",
     {"2: tls: expected no, system or the path of a file with the certificates to trust, got"}},
    {"topic-wild", "[mqtt]\nprefix = a/+\n", {"2: prefix: expected a topic without + and #"}},
    {"topic-slash",
     "[mqtt]\nprefix = /a\ndiscovery-prefix = a/\n",
     {"2: prefix: expected", "3: discovery-prefix: expected"}},
    {"topic-level", "[mqtt]\nprefix = a//b\n", {"2: prefix: expected"}},
    {"topic-system", "[mqtt]\nprefix = $SYS\n", {"2: prefix: expected"}},
    {"path",
     "[storage]\ndirectory = data\n",
     {"2: directory: expected a path that starts with /, got \"data\""}},
    {"zone", "[gateway]\ntimezone = ../../etc/passwd\n", {"2: timezone: expected the name"}},
    {"number-text",
     "[gateway]\nemergency-number =\n",
     {"2: emergency-number: expected a text"}},
};

static const Case people[] = {
    {"born",
     "[athlete r1]\nborn = 86\n",
     {"2: born: expected a year or a date, such as 1986 or 1986-04-12, got \"86\""}},
    {"born-date", "[athlete r1]\nborn = 1987-02-29\n", {"2: born: expected"}},
    {"born-german", "[athlete r1]\nborn = 12.04.1986\n", {"2: born: expected"}},
    {"born-leap", "[athlete r1]\nborn = 1988-02-29\n", {NULL}},
    {"born-future", "[athlete r1]\nborn = 2027\n", {"2: born: 2027 is in the future"}},
    {"born-tomorrow", "[athlete r1]\nborn = 2026-11-24\n", {"2: born: 2026-11-24 is in the"}},
    {"born-today", "[athlete r1]\nborn = 2026-11-23\n", {NULL}},
    {"born-old", "[athlete r1]\nborn = 1905\n", {"2: born: 1905 is more than 120 years ago"}},
    {"rest-max",
     "[athlete r1]\nresting-heart-rate = 110\nmax-heart-rate = 105\n",
     {"3: max-heart-rate: expected more than resting-heart-rate (110), got 105"}},
    {"max-rest",
     "[athlete r1]\nmax-heart-rate = 105\nresting-heart-rate = 105\n",
     {"2: max-heart-rate: expected more than resting-heart-rate (105), got 105"}},
    {"threshold",
     "[athlete r1]\nmax-heart-rate = 180\nresting-heart-rate = 70\nthreshold-heart-rate = "
     "180\n",
     {"2: max-heart-rate: expected more than threshold-heart-rate (180), got 180"}},
    {"threshold-low",
     "[athlete r1]\nresting-heart-rate = 70\nthreshold-heart-rate = 65\n",
     {"3: threshold-heart-rate: expected more than resting-heart-rate (70), got 65"}},
    {"bad-once",
     "[athlete r1]\nresting-heart-rate = 70\nthreshold-heart-rate = 300\n",
     {"3: threshold-heart-rate: expected a number from 60 to 240, got \"300\""}},
    {"sex", "[athlete r1]\nsex = f\n", {"2: sex: expected female or male, got \"f\""}},
    {"shoe-order",
     "[shoe a]\nnotice-km = 900\n",
     {"2: replace-km: expected more than notice-km (900), got 805"}},
    {"shoe-owner",
     "[athlete a]\n[athlete b]\n[shoe x]\n",
     {"3: [shoe x]: needs athlete = ID, because there are 2 athletes"}},
    {"shoe-unknown",
     "[athlete runner]\n[shoe x]\nathlete = runer\n",
     {"3: athlete: there is no [athlete ID] group for \"runer\"; did you mean runner?"}},
    {"shoe-once",
     "[athlete a]\n[athlete b]\n[shoe x]\nathlete = runner\n",
     {"4: athlete: there is no [athlete ID] group for \"runner\""}},
    {"shoe-defaults",
     "[athlete a]\n[shoe x]\ndefault = true\n[shoe y]\ndefault = true\n",
     {"5: default: [shoe x] is the default shoe of a already"}},
    {"run",
     "[run]\npause-after-s = 400\n",
     {"2: end-after-s: expected more than pause-after-s (400), got 300"}},
    {"run-end",
     "[run]\npause-after-s = 20\nend-after-s = 20\n",
     {"3: end-after-s: expected more"}},
};

static const Case sensors[] = {
    {"no-address",
     "[sensor strap]\nfactor = 1\n",
     {"1: [sensor strap]: needs address = AA:BB:CC:DD:EE:FF"}},
    {"address",
     "[sensor strap]\naddress = A09E1A000001\n",
     {"2: address: expected a Bluetooth address such as AA:BB:CC:DD:EE:FF, got"}},
    {"address-dash", "[sensor strap]\naddress = A0-9E-1A-00-00-01\n", {"2: address: expected"}},
    {"address-digit",
     "[sensor strap]\naddress = A0:9E:1A:00:00:0G\n",
     {"2: address: expected"}},
    {"address-zero", "[sensor strap]\naddress = 00:00:00:00:00:00\n", {"2: address: expected"}},
    {"address-ones", "[sensor strap]\naddress = ff:ff:ff:ff:ff:ff\n", {"2: address: expected"}},
    {"address-twice",
     SENSOR "[sensor pod]\naddress = a0:9e:1a:00:00:01\n",
     {"4: address: A0:9E:1A:00:00:01 is that of [sensor strap] already (t.conf:2)"}},
    {"athlete",
     SENSOR "athlete = r2\n[athlete r1]\n",
     {"3: athlete: there is no [athlete ID] group for \"r2\"; did you mean r1?"}},
    {"mount",
     SENSOR "mount = belly\n",
     {"3: mount: expected chest, upper-back, sacrum, head, left-foot, right-foot, arm, wrist "
      "or "
      "treadmill, got \"belly\""}},
    {"driver",
     SENSOR "driver = hart-rate\n",
     {"3: driver: there is no driver \"hart-rate\"; did you mean heart-rate? (built in:"}},
    {"driver-known",
     SENSOR "driver = movesense\n",
     {"3: driver: the driver \"movesense\" is not built into this program (built in: "
      "heart-rate "}},
    {"driver-twice",
     SENSOR "driver = alpha;beta;alpha\n",
     {"3: driver: alpha stands in the list twice"}},
    {"drivers",
     SENSOR "driver = alpha;beta;gamma;polar-pmd;heart-rate\n",
     {"3: driver: expected at most 4 drivers for one sensor"}},
    {"drivers-4", SENSOR "driver = alpha;beta;gamma;polar-pmd\n", {NULL}},
    {"driver-empty", SENSOR "driver = ;\n", {"3: driver: expected auto or names of drivers"}},
    {"driver-auto", SENSOR "driver = auto;alpha\n", {"3: driver: there is no driver \"auto\""}},
    {"factor",
     SENSOR "factor = 1.21\n",
     {"3: factor: expected a number from 0.8 to 1.2, got \"1.21\""}},
    {"type",
     SENSOR "address-type = static\n",
     {"3: address-type: expected auto, public or random, got \"static\""}},
    {"notify", SENSOR "notify = yes\n", {"3: notify: expected auto, start or acquire, got"}},
    {"hci",
     "[bluetooth]\nadapters = hci0\n",
     {"2: adapters: expected the address of the adapter, got \"hci0\""}},
    {"adapters",
     "[bluetooth]\nadapters = A0:9E:1A:00:00:01;x\n",
     {"2: adapters: expected auto or addresses such as AA:BB:CC:DD:EE:FF with ; between them"}},
    {"adapter-twice",
     "[bluetooth]\nadapters = A0:9E:1A:00:00:01;a0:9e:1a:00:00:01\n",
     {"2: adapters: A0:9E:1A:00:00:01 stands in the list twice"}},
};

static const Case brokers[] = {
    {"plaintext",
     "[mqtt]\nhost = broker.example.org\n",
     {"2: host: broker.example.org is another machine and nothing would be encrypted: set tls "
      "= "
      "system or tls = /path/of/ca.pem, or allow-plaintext = true"}},
    {"plaintext-address",
     "[mqtt]\nhost = 192.0.2.1\n",
     {"2: host: 192.0.2.1 is another machine"}},
    {"plaintext-ok", "[mqtt]\nhost = 192.0.2.1\nallow-plaintext = true\n", {NULL}},
    {"tls-ok", "[mqtt]\nhost = 2001:db8::1\ntls = system\n", {NULL}},
    {"psk-ok", "[mqtt]\nhost = b\npsk-identity = pi\npsk-file = /k\n", {NULL}},
    {"local", "[mqtt]\nhost = 127.0.0.1\n", {NULL}},
    {"local-6", "[mqtt]\nhost = ::1\n", {NULL}},
    {"socket", "[mqtt]\nhost = /run/mosquitto/mqtt.sock\n", {NULL}},
    {"socket-tls",
     "[mqtt]\nhost = /run/mqtt.sock\ntls = system\n",
     {"2: host: a unix socket is not encrypted"}},
    {"password",
     "[mqtt]\npassword-file = /p\n",
     {"2: password-file: needs username beside it"}},
    {"cert",
     "[mqtt]\ntls = system\nclient-cert = /c\n",
     {"3: client-cert: needs client-key beside it"}},
    {"key",
     "[mqtt]\ntls = system\nclient-key = /c\n",
     {"3: client-key: needs client-cert beside it"}},
    {"cert-tls",
     "[mqtt]\nclient-cert = /c\nclient-key = /k\n",
     {"2: client-cert: needs tls = system"}},
    {"psk", "[mqtt]\npsk-identity = pi\n", {"2: psk-identity: needs psk-file beside it"}},
    {"psk-file", "[mqtt]\npsk-file = /k\n", {"2: psk-file: needs psk-identity beside it"}},
    {"psk-cert",
     "[mqtt]\npsk-identity = pi\npsk-file = /k\ntls = /ca\nclient-cert = /c\nclient-key = /k\n",
     {"2: psk-identity: a pre-shared key and client-cert exclude each other",
      "2: psk-identity: a pre-shared key takes the place of certificates"}},
};

static const Case warnings[] = {
    {"above",
     "[warning trunk-lean]\nenter = 10\n",
     {"2: exit: expected at most enter (10), got 12"}},
    {"below",
     "[warning cadence-drop]\nexit = 0.9\n",
     {"2: exit: expected at least enter (0.95), got 0.9"}},
    {"percent",
     "[warning cadence-drop]\nenter = 95\nexit = 97\n",
     {"2: enter: expected a number from 0.19 to 4.75 for cadence-drop, got 95",
      "3: exit: expected a number from 0.194 to 4.85 for cadence-drop, got 97"}},
    {"person",
     "[athlete r1]\n[warning trunk-lean r1]\nenter = 11\n[warning trunk-lean]\nexit = 9\n",
     {NULL}},
    {"person-bad",
     "[athlete r1]\n[warning trunk-lean r1]\nenter = 11\n[warning trunk-lean]\nexit = 12\n",
     {"3: exit: expected at most enter (11), got 12"}},
    {"cap", "[warning heart-rate-cap]\nenter = 150\n", {NULL}},
    {"cap-low",
     "[warning heart-rate-cap]\nenter = 15\n",
     {"2: enter: expected a number from 60 to 250 for heart-rate-cap, got 15"}},
    {"no-value", "[warning red-flag]\nenter = 1\n", {"2: enter: red-flag compares no value"}},
    {"digest",
     "[warning rest-day]\nenabled = false\nhold-s = 5\n",
     {"3: hold-s: rest-day is a line of the digest, which has only enabled"}},
};

/* The report has one line for each expectation, which begins with it. */
static void
test_case(const void *data) {
  const Case *test = data;
  g_autoptr(PlProblems) problems = pl_problems_new();
  g_autoptr(PlConfig) config = fake_config_read(test->text, problems);
  g_autofree char *report = pl_problems_text(problems);
  g_auto(GStrv) lines = g_strsplit(report, "\n", -1);
  unsigned i = 0;

  for (; test->problems[i] != NULL; i++) {
    g_autofree char *start = g_strconcat("t.conf:", test->problems[i], NULL);
    if (lines[i] == NULL || !g_str_has_prefix(lines[i], start))
      g_error("expected \"%s\", got \"%s\"", start, report);
  }
  if (lines[i] != NULL && lines[i][0] != '\0')
    g_error("one problem too many in \"%s\"", report);
  g_assert_cmpuint(pl_problems_count(problems), ==, i);
  g_assert_true((config == NULL) == (i > 0));
}

static void
add_cases(const char *folder, const Case *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    g_autofree char *path = g_strdup_printf("/app/config/%s/%s", folder, cases[i].name);
    g_test_add_data_func(path, &cases[i], test_case);
  }
}

#define ADD(cases) add_cases(#cases, cases, G_N_ELEMENTS(cases))

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  ADD(syntax);
  ADD(groups);
  ADD(keys);
  ADD(values);
  ADD(people);
  ADD(sensors);
  ADD(brokers);
  ADD(warnings);
  return g_test_run();
}
