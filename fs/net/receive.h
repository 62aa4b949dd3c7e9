/* receive.h - the answer as it comes in. Private to fs/net; engine thread only. */
#ifndef KINOFS_NET_RECEIVE_H
#define KINOFS_NET_RECEIVE_H

#include "fs/net/transfer.h"

/* libcurl's write callback. */
size_t receive_bytes(char *bytes, size_t size, size_t count, void *transfer);

/* The finished transfer as its owner sees it; points into the transfer. */
void receive_reply(struct http_transfer *transfer, CURLcode result, struct http_reply *reply);

#endif
