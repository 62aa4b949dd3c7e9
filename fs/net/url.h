/* url.h - which URLs kinofs will talk to. Pure; any thread may call. */
#ifndef KINOFS_NET_URL_H
#define KINOFS_NET_URL_H

#include <stdbool.h>

/* A link (url_fault() of spec/url.h) without user or password: what http_start() takes and what a
 * result may name. */
bool url_is_http(const char *url);

/* Whether the host of an http(s) URL is this machine: localhost, 127.0.0.0/8, ::1. */
bool url_is_loopback(const char *url);

/* Whether a key may be sent there: https, or http that does not leave the machine. */
bool url_may_carry_key(const char *url);

#endif
