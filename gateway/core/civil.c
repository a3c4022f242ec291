/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/core/civil.h"

#include <stddef.h>

enum {
  MS_PER_DAY = 86400000,
  DAYS_PER_ERA = 146097, /* 400 years */
  DAYS_TO_1970 = 719468, /* from 1 March of year 0 */
};

typedef struct {
  int year, month, day;
} Date;

/* Years that begin in March put the leap day last, so that the length of a month follows a
 * straight line: month m (March is 0) begins on day (153 m + 2) / 5 of its year. */
static Date
date_from_days(int64_t unix_days) {
  int64_t days = unix_days + DAYS_TO_1970;
  int era = (int)(days / DAYS_PER_ERA);
  int day_of_era = (int)(days % DAYS_PER_ERA);
  int year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int month = (5 * day_of_year + 2) / 153;
  Date date = {
      .year = era * 400 + year_of_era,
      .month = month < 10 ? month + 3 : month - 9,
      .day = day_of_year - (153 * month + 2) / 5 + 1,
  };
  if (date.month <= 2)
    date.year++;
  return date;
}

static int64_t
days_from_date(const Date *date) {
  int year = date->month <= 2 ? date->year - 1 : date->year;
  int month = date->month <= 2 ? date->month + 9 : date->month - 3;
  int year_of_era = year % 400;
  int day_of_year = (153 * month + 2) / 5 + date->day - 1;
  int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return (int64_t)(year / 400) * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

static char *
put_digits(char *out, int value, int digits) {
  for (int i = digits - 1; i >= 0; i--) {
    out[i] = (char)('0' + value % 10);
    value /= 10;
  }
  return out + digits;
}

static char *
put_separator(char *out, const char *separator) {
  if (*separator != '\0')
    *out++ = *separator;
  return out;
}

/* Date and time of day up to the seconds; NULL outside the range. */
static char *
put_civil(char *out, int64_t unix_ms, const char *dash, const char *colon) {
  if (unix_ms < 0 || unix_ms > PL_CIVIL_MS_MAX)
    return NULL;
  Date date = date_from_days(unix_ms / MS_PER_DAY);
  int second = (int)(unix_ms % MS_PER_DAY / 1000);

  out = put_separator(put_digits(out, date.year, 4), dash);
  out = put_separator(put_digits(out, date.month, 2), dash);
  out = put_digits(out, date.day, 2);
  *out++ = 'T';
  out = put_separator(put_digits(out, second / 3600, 2), colon);
  out = put_separator(put_digits(out, second / 60 % 60, 2), colon);
  return put_digits(out, second % 60, 2);
}

bool
pl_civil_format(int64_t unix_ms, char text[PL_CIVIL_TEXT_SIZE]) {
  char *out = put_civil(text, unix_ms, "-", ":");
  if (out == NULL) {
    text[0] = '\0';
    return false;
  }
  *out++ = '.';
  out = put_digits(out, (int)(unix_ms % 1000), 3);
  *out++ = 'Z';
  *out = '\0';
  return true;
}

bool
pl_civil_format_compact(int64_t unix_ms, char text[PL_CIVIL_COMPACT_SIZE]) {
  char *out = put_civil(text, unix_ms, "", "");
  if (out == NULL) {
    text[0] = '\0';
    return false;
  }
  *out++ = 'Z';
  *out = '\0';
  return true;
}

/* A cursor over a text; `failed` stays set. */
typedef struct {
  const char *at;
  bool failed;
} Scan;

static void
expect(Scan *scan, char c) {
  if (!scan->failed && *scan->at == c)
    scan->at++;
  else
    scan->failed = true;
}

static int
number(Scan *scan, int digits, int minimum, int maximum) {
  int value = 0;
  for (int i = 0; i < digits && !scan->failed; i++) {
    if (*scan->at < '0' || *scan->at > '9')
      scan->failed = true;
    else
      value = value * 10 + (*scan->at++ - '0');
  }
  if (value < minimum || value > maximum)
    scan->failed = true;
  return scan->failed ? minimum : value;
}

static int
days_in_month(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static Date
scan_date(Scan *scan) {
  Date date;
  date.year = number(scan, 4, 1969, 9999); /* 1969: an offset may lead into 1970 */
  expect(scan, '-');
  date.month = number(scan, 2, 1, 12);
  expect(scan, '-');
  date.day = number(scan, 2, 1, days_in_month(date.year, date.month));
  return date;
}

/* Milliseconds since midnight. */
static int
scan_time(Scan *scan) {
  int hour = number(scan, 2, 0, 23);
  expect(scan, ':');
  int minute = number(scan, 2, 0, 59);
  expect(scan, ':');
  int second = number(scan, 2, 0, 59);
  int ms = 0;
  if (!scan->failed && *scan->at == '.') {
    int digits = 0;
    for (scan->at++; *scan->at >= '0' && *scan->at <= '9'; scan->at++)
      if (++digits <= 3)
        ms = ms * 10 + (*scan->at - '0');
    scan->failed = digits < 1 || digits > 9;
    for (; digits < 3; digits++)
      ms *= 10;
  }
  return ((hour * 60 + minute) * 60 + second) * 1000 + ms;
}

/* Milliseconds east of UTC. */
static int
scan_offset(Scan *scan) {
  if (scan->failed || *scan->at == 'Z') {
    expect(scan, 'Z');
    return 0;
  }
  int sign = *scan->at == '-' ? -1 : 1;
  expect(scan, sign < 0 ? '-' : '+');
  int hour = number(scan, 2, 0, 23);
  expect(scan, ':');
  int minute = number(scan, 2, 0, 59);
  return sign * (hour * 60 + minute) * 60000;
}

bool
pl_civil_parse(const char *text, int64_t *unix_ms) {
  Scan scan = {.at = text};
  Date date = scan_date(&scan);
  expect(&scan, 'T');
  int time_ms = scan_time(&scan);
  int offset_ms = scan_offset(&scan);
  expect(&scan, '\0');
  if (scan.failed)
    return false;
  int64_t ms = days_from_date(&date) * MS_PER_DAY + time_ms - offset_ms;
  if (ms < 0 || ms > PL_CIVIL_MS_MAX)
    return false;
  *unix_ms = ms;
  return true;
}
