/* url.h - which texts are links. Pure, any thread. */
#ifndef KINOFS_SPEC_URL_H
#define KINOFS_SPEC_URL_H

/* Why a text is no http(s) URL with a host, at most LIMIT_URL_BYTES long, without spaces and
 * control characters: static, or libcurl's words, which begin with a capital. NULL when it is one.
 */
const char *url_fault(const char *text);

#endif
