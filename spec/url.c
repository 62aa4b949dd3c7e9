#include "spec/url.h"

#include "fs/base/limits.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

const char *url_fault(const char *text)
{
	const char *fault = NULL;
	CURLU *url;
	CURLUcode code;

	if (strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0)
		return "is no http:// or https:// link";
	if (strlen(text) > LIMIT_URL_BYTES)
		return "is too long for a link";
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return "holds a space or a control character";
	if (strchr("/?#", strchr(text, ':')[3])) /* also the end; libcurl takes http:///host */
		return "names no host";
	url = curl_url();
	if (!url)
		return "cannot be read: out of memory";
	code = curl_url_set(url, CURLUPART_URL, text, 0);
	if (code != CURLUE_OK)
		fault = curl_url_strerror(code);
	curl_url_cleanup(url);
	return fault;
}
