/* request.h - a request as libcurl gets it. Private to fs/net; engine thread only. */
#ifndef KINOFS_NET_REQUEST_H
#define KINOFS_NET_REQUEST_H

#include "fs/net/transfer.h"

/* Whether the request keeps the rules of http.h: 0 or -EINVAL. */
int request_check(const struct http_request *request);

/* Makes transfer->easy and what it refers to. Before the call, body is set and the descriptors are
 * -1. 0, -ENOMEM, or -errno of a descriptor; after an error the transfer owns what was made. */
int request_prepare(struct http_transfer *transfer, struct http_request *request);

#endif
