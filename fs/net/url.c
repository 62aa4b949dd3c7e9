#include "fs/net/url.h"

#include "spec/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

static bool has_scheme(const char *url, const char *scheme)
{
	return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

bool url_is_http(const char *url)
{
	CURLU *parts;
	bool valid;

	if (url_fault(url))
		return false;
	parts = curl_url();
	valid = parts && curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK;
	curl_url_cleanup(parts);
	return valid;
}

/* libcurl answers "localhost" itself since 7.77, without asking a name server. */
static bool host_is_loopback(char *host)
{
	size_t length = strlen(host);
	struct in6_addr six;
	struct in_addr four;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	if (length < 2 || host[0] != '[' || host[length - 1] != ']')
		return false;
	host[length - 1] = '\0';
	return inet_pton(AF_INET6, host + 1, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool url_is_loopback(const char *url)
{
	CURLU *parts = curl_url();
	char *host = NULL;
	bool loopback = false;

	if (parts && !curl_url_set(parts, CURLUPART_URL, url, 0) &&
		!curl_url_get(parts, CURLUPART_HOST, &host, 0))
		loopback = host_is_loopback(host);
	curl_free(host);
	curl_url_cleanup(parts);
	return loopback;
}

bool url_may_carry_key(const char *url)
{
	return has_scheme(url, "https://") || url_is_loopback(url);
}
