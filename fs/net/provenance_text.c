#include "fs/net/provenance_text.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/quote.h"

#include <cjson/cJSON.h>
#include <string.h>

#define SOURCE_TYPES "http://cv.iptc.org/newscodes/digitalsourcetype/"

/* What a key is called in XMP. AISystemUsed and AIPromptInformation: IPTC Photo Metadata 2025.1. */
static const struct {
	const char *key, *property;
} properties[] = {
	{"DigitalSourceType", "Iptc4xmpExt:DigitalSourceType"},
	{AIGC_LABEL, "TC260:AIGC"},
	{"kinofs.provider", "kinofs:Provider"},
	{"kinofs.model", "Iptc4xmpExt:AISystemUsed"},
	{"kinofs.task", "kinofs:Task"},
	{"kinofs.prompt", "Iptc4xmpExt:AIPromptInformation"},
	{"kinofs.parameters", "kinofs:Parameters"},
};
_Static_assert(COUNT(properties) == SAID_MAX, "a property for each key");

static const char packet_head[] =
	"<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
	"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
	" <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
	"  <rdf:Description rdf:about=\"\"\n"
	"    xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\"\n"
	"    xmlns:TC260=\"http://www.tc260.org.cn/ns/AIGC/1.0/\"\n"
	"    xmlns:kinofs=\"urn:kinofs:provenance/1.0/\">\n";
static const char packet_tail[] = "  </rdf:Description>\n"
				  " </rdf:RDF>\n"
				  "</x:xmpmeta>\n"
				  "<?xpacket end=\"r\"?>\n";

static char *label_of(const struct provenance *says)
{
	static const char *const names[] = {"Label", "ContentProducer", "ProduceID",
		"ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2"};
	const char *const values[COUNT(names)] = {"1", says->provider, says->task, "", "", "", ""};
	AUTO_JSON cJSON *label = cJSON_CreateObject();

	for (size_t i = 0; label && i < COUNT(names); i++)
		if (!cJSON_AddStringToObject(label, names[i], values[i]))
			return NULL;
	return label ? cJSON_PrintUnformatted(label) : NULL;
}

/* In the order of properties[]. */
static int fill(const struct provenance *says, bool label, struct said *said)
{
	AUTO_FREE char *made = label && !says->simulated ? label_of(says) : NULL;
	const char *const values[SAID_MAX] = {says->simulated ? SOURCE_TYPES "algorithmicMedia"
							      : SOURCE_TYPES
						      "trainedAlgorithmicMedia",
		made, says->provider, says->model, says->task, says->prompt, says->parameters};

	if (label && !says->simulated && !made)
		return -ENOMEM;
	for (size_t i = 0; i < SAID_MAX; i++) {
		struct said_item *item = &said->item[said->count];

		if (!values[i])
			continue;
		item->key = properties[i].key;
		item->property = properties[i].property;
		item->value = strdup(values[i]);
		if (!item->value)
			return -ENOMEM;
		said->count++;
	}
	return 0;
}

/* Text of XML 1.0 (2.2, 2.4): what it cannot hold, as U+FFFD. */
static void put_escaped(FILE *out, const char *text)
{
	size_t left = strlen(text), length;
	uint32_t code;

	for (; left; text += length, left -= length) {
		length = utf8_char(text, left, &code);
		if (!length || (code < ' ' && code != '\n' && code != '\t') ||
			(code & 0xfffe) == 0xfffe)
			(void)fputs("\xef\xbf\xbd", out);
		else if (code == '<' || code == '>' || code == '&')
			(void)fprintf(out, "&#%u;", code);
		else
			(void)fwrite(text, 1, length, out);
		length = length ? length : 1;
	}
}

/* What is written to a stream of memory may fail for want of it: stream_text() tells. */
static char *packet_of(const struct said *said)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	(void)fputs(packet_head, out);
	for (size_t i = 0; i < said->count; i++) {
		(void)fprintf(out, "   <%s>", said->item[i].property);
		put_escaped(out, said->item[i].value);
		(void)fprintf(out, "</%s>\n", said->item[i].property);
	}
	(void)fputs(packet_tail, out);
	return stream_text(out, &text);
}

int said_make(const struct provenance *says, bool label, struct said *said)
{
	int error;

	*said = (struct said){0};
	error = fill(says, label, said);
	if (error)
		return error;
	said->xmp = packet_of(said);
	return said->xmp ? 0 : -ENOMEM;
}

void said_clear(struct said *said)
{
	for (size_t i = 0; i < said->count; i++)
		free(said->item[i].value);
	free(said->xmp);
	*said = (struct said){0};
}
