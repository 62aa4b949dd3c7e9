/*
 * order.h - what an order is: a model and everything that would be sent, as
 * one text that two equal orders share, however they were written. Pure, any
 * thread.
 */
#ifndef KINOFS_SPEC_ORDER_H
#define KINOFS_SPEC_ORDER_H

#include "spec/model.h"

/* A local picture of the body, by what its bytes are. */
struct spec_digest {
	const char *field;
	const char *sha256; /* 64 hexadecimal digits */
};

/*
 * The model's id, a line feed, and body (of spec_build(), left as it is) as compact JSON: keys
 * sorted by their bytes, without callBackUrl, pictures as "sha256:…", numbers by value. The caller
 * frees. 0 or -ENOMEM.
 */
int spec_order_text(const struct model *model, const cJSON *body,
	const struct spec_digest *pictures, size_t npictures, char **text);

#endif
