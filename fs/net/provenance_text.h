/*
 * provenance_text.h - the words of provenance.h: keys and values, and the same as an XMP packet.
 * Private to fs/net/provenance*.c. Pure, any thread.
 *
 *   DigitalSourceType  a term of http://cv.iptc.org/newscodes/digitalsourcetype/
 *   AIGC               the label of GB 45438-2025: JSON of seven texts. Label 1: it was
 *                      made by a machine; ContentProducer: whose service made it; ProduceID: its
 *                      number there; the others are empty, for they are of who spreads it. As key
 *                      of MP4 that is what encoders in use write; as XMP, TC260-PG-20258A
 *   kinofs.…           provider, model, task; in full also prompt, parameters
 */
#ifndef KINOFS_NET_PROVENANCE_TEXT_H
#define KINOFS_NET_PROVENANCE_TEXT_H

#include "fs/net/provenance.h"

#define SAID_MAX   7
#define AIGC_LABEL "AIGC"

struct said {
	struct said_item {
		const char *key, *property; /* as key, and in XMP; static */
		char *value;
	} item[SAID_MAX];
	size_t count;
	char *xmp;
};

/* label: false: the file has an AIGC label already. 0 or -ENOMEM; said_clear() in any case. */
int said_make(const struct provenance *says, bool label, struct said *said);
void said_clear(struct said *said);

#endif
