/* clock.h: the clock by which waits and limits are measured. */
#ifndef US_CURL_CLOCK_H
#define US_CURL_CLOCK_H

/* Milliseconds; it never goes back. */
long long us_clock_ms(void);

#endif
