/*
 * price.h - what a job will cost, estimated from its model file's dated rows.
 * Prices move: an estimate is shown with its date and is never a promise.
 *
 * A row is {"when": WHEN (rule.h), "credits": N or "usd": N, "date": "YYYY-MM-DD", "source": "…"},
 * and of these:
 *
 *   "per": ADDRESS      that many times: a number (or a text of digits), the length of a list, the
 *                       characters of another text
 *   "per": {"seconds_of": ADDRESS}
 *                       the seconds of the films or sounds there, every one that was begun
 *   "beyond": N         of which so many are free
 *   "each": N           so many of them together, as of 1000 characters
 *   "plus": true        comes to the price of the row that matches
 *
 * The first row that matches without "plus" is the price; those with "plus" that match are added.
 */
#ifndef KINOFS_SPEC_PRICE_H
#define KINOFS_SPEC_PRICE_H

#include "spec/local.h"
#include "spec/model.h"

/* What one credit of kie.ai costs (fs/net/API.md 4). Caps count in credits. */
#define USD_PER_CREDIT 0.005

struct price {
	bool known;
	double credits;
	double usd;
	const char *date; /* of the price list; points into the model */
};

/* What one row says, of one of what it counts. */
struct price price_of_row(const cJSON *row);

/* body: a request body as of spec_build(), which names these local files. Not known: no row
 * matches, or what is counted is not known. Any thread. */
struct price price_estimate(
	const struct model *model, const cJSON *body, const struct picture *files, size_t count);

#endif
