/* retry.c: the retry decision and the header it listens to. */
#include "core/retry.h"

#include <stdio.h>
#include <string.h>

/* An answer that refuses the request before acting on it, or a connection
   that never carried it: any method may be repeated. All else only where a
   repeat is harmless. */
static bool is_retryable(const us_outcome *outcome) {
  switch (outcome->kind) {
  case US_KIND_RATE_LIMITED: return true;
  case US_KIND_NETWORK:
  case US_KIND_TIMEOUT: return !outcome->sent || outcome->idempotent;
  case US_KIND_HTTP:
    switch (outcome->status) {
    case 500:
    case 502:
    case 503:
    case 504: return outcome->idempotent;
    default: return false;
    }
  default: return false;
  }
}

/* Full jitter: uniform below a ceiling that doubles. */
static double backoff(int attempt, double random) {
  double ceiling = US_BACKOFF_FIRST;
  while (--attempt > 0 && ceiling < US_BACKOFF_CAP)
    ceiling *= 2;
  return random * (ceiling < US_BACKOFF_CAP ? ceiling : US_BACKOFF_CAP);
}

us_decision us_retry_decide(const us_outcome *outcome) {
  us_decision decision = {false, false, 0};
  decision.retryable = is_retryable(outcome);
  if (!decision.retryable) return decision;
  decision.wait = outcome->retry_after > 0
                      ? outcome->retry_after
                      : backoff(outcome->attempt, outcome->random);
  decision.retry = outcome->attempt <= outcome->retries &&
                   outcome->budget >= US_BUDGET_RETRY &&
                   decision.wait < outcome->remaining;
  return decision;
}

/* Days since 1970-01-01 of a civil date (H. Hinnant's algorithm). */
static long days_from_civil(long year, long month, long day) {
  long era, of_era, of_year, day_of_era;
  year -= month <= 2;
  era = (year >= 0 ? year : year - 399) / 400;
  of_era = year - era * 400;
  of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return era * 146097 + day_of_era - 719468;
}

static long month_of(const char *name) {
  static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const char *at = strlen(name) == 3 ? strstr(names, name) : NULL;
  return at && (at - names) % 3 == 0 ? (long)(at - names) / 3 + 1 : 0;
}

/* RFC 9110 section 5.6.7: IMF-fixdate, RFC 850, asctime. */
static bool parse_date(const char *text, double *seconds) {
  char month[4] = "";
  int day = 0, year = 0, hour = 0, minute = 0, second = 0;
  long days, number;
  const char *comma = strchr(text, ',');
  if (comma != NULL) {
    if (sscanf(comma, ", %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT", &day, month,
               &year, &hour, &minute, &second) != 6) {
      if (sscanf(comma, ", %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT", &day, month,
                 &year, &hour, &minute, &second) != 6)
        return false;
      year += year < 70 ? 2000 : 1900;
    }
  } else if (sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d", month,
                    &day, &hour, &minute, &second, &year) != 6) {
    return false;
  }
  number = month_of(month);
  if (number == 0 || day < 1 || day > 31 || year < 1900 || hour > 23 ||
      minute > 59 || second > 60 || hour < 0 || minute < 0 || second < 0)
    return false;
  days = days_from_civil(year, number, day);
  *seconds = (double)days * 86400 + hour * 3600 + minute * 60 + second;
  return true;
}

/* Digits, and a fraction where a server sends one. */
static bool parse_seconds(us_slice value, double *seconds) {
  double scale = 1;
  bool fraction = false;
  size_t i;
  *seconds = 0;
  for (i = 0; i < value.length; i++) {
    char byte = value.data[i];
    if (byte == '.' && !fraction && i > 0 && i + 1 < value.length) {
      fraction = true;
    } else if (byte < '0' || byte > '9') {
      return false;
    } else if (fraction) {
      scale /= 10;
      *seconds += (byte - '0') * scale;
    } else {
      *seconds = *seconds * 10 + (byte - '0');
      if (*seconds > US_RETRY_AFTER_CAP) *seconds = US_RETRY_AFTER_CAP;
    }
  }
  return value.length > 0;
}

double us_retry_after(us_slice value, double unix_time) {
  char text[64];
  double seconds;
  while (value.length && (value.data[0] == ' ' || value.data[0] == '\t')) {
    value.data++;
    value.length--;
  }
  while (value.length && value.data[value.length - 1] == ' ')
    value.length--;
  if (parse_seconds(value, &seconds))
    return seconds < US_RETRY_AFTER_CAP ? seconds : US_RETRY_AFTER_CAP;
  if (value.length == 0 || value.length >= sizeof text) return -1;
  memcpy(text, value.data, value.length);
  text[value.length] = '\0';
  if (!parse_date(text, &seconds)) return -1;
  seconds -= unix_time;
  if (seconds > US_RETRY_AFTER_CAP) return US_RETRY_AFTER_CAP;
  return seconds > 0 ? seconds : 0;
}
