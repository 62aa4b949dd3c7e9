/*
 * price.h - what a job will cost, estimated from its model file's dated rows.
 * Prices move: an estimate is shown with its date and is never a promise.
 */
#ifndef KINOFS_SPEC_PRICE_H
#define KINOFS_SPEC_PRICE_H

#include "spec/model.h"

/* What one credit of kie.ai costs (fs/net/API.md 4). Caps count in credits. */
#define USD_PER_CREDIT 0.005

struct price {
	bool known;
	double credits;
	double usd;
	const char *date; /* of the price list; points into the model */
};

/* body: a request body as of spec_build(). */
struct price price_estimate(const struct model *model, const cJSON *body);

#endif
