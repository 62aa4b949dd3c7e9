#include "fs/net/provenance.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/net/box.h"
#include "fs/net/provenance_text.h"

#include <endian.h>
#include <errno.h>

#define MOOV_BYTES_MAX (64LL << 20) /* of an hour it is some 3 MiB */
#define LOOK_BYTES_MAX (8LL << 20)  /* what is longer is not looked into */
#define TYPE_AT        4            /* of a box */

#define UUID_BYTES 16
/* XMP Specification 3, 1.2.7.1 */
static const uint8_t uuid_xmp[UUID_BYTES] = {0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c,
	0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac};
/* C2PA Technical Specification, "Embedding manifests into BMFF-based assets" */
static const uint8_t uuid_c2pa[UUID_BYTES] = {0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c, 0x92,
	0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81};

/* ------------------------------------------------------------------ what is there */

struct survey {
	struct reader *in;
	int left; /* boxes that may still be looked at */
	int moovs;
	struct box moov, udta; /* udta.end 0: there is none */
	bool is_open;          /* the last box has no end of its own */
	bool quicktime;        /* it is MOV, whose udta has no meta */
	bool fragments, index; /* moof; mfra, which is found from the end of the file */
	bool manifest, xmp, label;
	bool odd;        /* moov cannot be read, or its udta */
	bool keys;       /* it has some: readers mix up two lists of them */
	bool meta;       /* moov has one, with tags of another kind */
	bool udta_meta;  /* so has udta */
	bool udta_whole; /* it is nothing but boxes, so that one may follow */
};

static bool holds(const char *text, int64_t bytes, const char *word)
{
	return memmem(text, (size_t)bytes, word, strlen(word));
}

/* Whether there are keys in there, or the file says AIGC in whatever way. 0 or an error. */
static int look_into(struct survey *survey, const struct box *box)
{
	int64_t bytes = box->end - box->content;
	AUTO_FREE char *text = NULL;
	int error;

	if (bytes <= 0)
		return 0;
	if (bytes > LOOK_BYTES_MAX) {
		survey->keys = survey->label = true; /* for all that is known */
		return 0;
	}
	text = malloc((size_t)bytes);
	if (!text)
		return -ENOMEM;
	error = reader_copy(survey->in, text, (size_t)bytes, box->content);
	if (error)
		return error;
	survey->label = survey->label || holds(text, bytes, AIGC_LABEL);
	survey->keys = survey->keys || holds(text, bytes, "mdta");
	return 0;
}

static int look_at_uuid(struct survey *survey, const struct box *box)
{
	uint8_t uuid[UUID_BYTES];
	int error;

	if (box->end - box->content < UUID_BYTES)
		return 0;
	error = reader_copy(survey->in, uuid, sizeof(uuid), box->content);
	if (error)
		return error;
	survey->manifest = survey->manifest || !memcmp(uuid, uuid_c2pa, UUID_BYTES);
	if (memcmp(uuid, uuid_xmp, UUID_BYTES) != 0)
		return 0;
	survey->xmp = true;
	return look_into(survey, box);
}

static int look_at_udta(struct survey *survey)
{
	struct box box;
	int error = 0;

	survey->udta_whole = true;
	for (int64_t at = survey->udta.content; at < survey->udta.end; at = box.end) {
		error = survey->left-- > 0 ? box_read(survey->in, at, survey->udta.end, &box)
		                           : -EBADMSG;
		if (error)
			break;
		survey->udta_meta = survey->udta_meta || box_is(&box, "meta");
		survey->xmp = survey->xmp || box_is(&box, "XMP_");
	}
	if (error == -EBADMSG) { /* QuickTime may end it with a zero of 32 bits */
		survey->udta_whole = false;
		error = 0;
	}
	return error ? error : look_into(survey, &survey->udta);
}

static int look_at_moov(struct survey *survey)
{
	struct box box;
	int error;

	for (int64_t at = survey->moov.content; at < survey->moov.end; at = box.end) {
		error = survey->left-- > 0 ? box_read(survey->in, at, survey->moov.end, &box)
		                           : -EBADMSG;
		if (error == -EBADMSG)
			survey->odd = true;
		if (error)
			return error == -EBADMSG ? 0 : error;
		survey->fragments = survey->fragments || box_is(&box, "mvex");
		if (box_is(&box, "udta")) {
			survey->odd = survey->odd || survey->udta.end;
			survey->udta = box;
		} else if (box_is(&box, "meta")) {
			survey->meta = true;
			error = look_into(survey, &box);
			if (error)
				return error;
		}
	}
	return survey->udta.end ? look_at_udta(survey) : 0;
}

static int look_at_brand(struct survey *survey, const struct box *ftyp)
{
	char brand[4];
	int error = 0;

	if (ftyp->end - ftyp->content >= (int64_t)sizeof(brand))
		error = reader_copy(survey->in, brand, sizeof(brand), ftyp->content);
	survey->quicktime = !error && memcmp(brand, "qt  ", 4) == 0;
	return error;
}

static int look(struct survey *survey)
{
	struct box box;
	int error = 0;

	for (int64_t at = 0; at < survey->in->bytes && !error; at = box.end) {
		error = survey->left-- > 0 ? box_read(survey->in, at, survey->in->bytes, &box)
		                           : -EBADMSG;
		if (error)
			return error;
		survey->is_open = box.is_open;
		survey->fragments = survey->fragments || box_is(&box, "moof");
		survey->index = survey->index || box_is(&box, "mfra");
		if (box_is(&box, "ftyp"))
			error = look_at_brand(survey, &box);
		else if (box_is(&box, "uuid"))
			error = look_at_uuid(survey, &box);
		else if (box_is(&box, "moov") && !survey->moovs++)
			survey->moov = box;
	}
	return error || survey->moovs != 1 ? error : look_at_moov(survey);
}

/* ------------------------------------------------------------------ what is written */

/* All to a stream of memory, which may fail for want of it: stream_text() tells. */

static void put_number(FILE *out, uint32_t number)
{
	number = htobe32(number);
	(void)fwrite(&number, sizeof(number), 1, out);
}

static void put_head(FILE *out, uint64_t size, const char *type)
{
	put_number(out, (uint32_t)size);
	(void)fwrite(type, 4, 1, out);
}

/* QuickTime File Format, "Metadata": names in keys, values in ilst by their numbers. In moov meta
 * is a plain box, as that says and readers take it; in udta a full one, as in ISO/IEC 14496-12. */
#define HEAD       8
#define FULL_HEAD  12
#define HDLR_BYTES (FULL_HEAD + 21)
#define DATA_HEAD  16 /* of a data box: also a type, and a country and language */
#define DATA_UTF8  1

static uint64_t keys_bytes(const struct said *said)
{
	uint64_t bytes = FULL_HEAD + 4;

	for (size_t i = 0; i < said->count; i++)
		bytes += HEAD + strlen(said->item[i].key);
	return bytes;
}

static uint64_t ilst_bytes(const struct said *said)
{
	uint64_t bytes = HEAD;

	for (size_t i = 0; i < said->count; i++)
		bytes += HEAD + DATA_HEAD + strlen(said->item[i].value);
	return bytes;
}

static uint64_t meta_bytes(const struct said *said, bool plain)
{
	return (plain ? HEAD : FULL_HEAD) + HDLR_BYTES + keys_bytes(said) + ilst_bytes(said);
}

static void put_meta(FILE *out, const struct said *said, bool plain)
{
	static const char handler[HDLR_BYTES - HEAD] = "\0\0\0\0\0\0\0\0mdta";

	put_head(out, meta_bytes(said, plain), "meta");
	if (!plain)
		put_number(out, 0);
	put_head(out, HDLR_BYTES, "hdlr");
	(void)fwrite(handler, sizeof(handler), 1, out);
	put_head(out, keys_bytes(said), "keys");
	put_number(out, 0);
	put_number(out, (uint32_t)said->count);
	for (size_t i = 0; i < said->count; i++) {
		put_head(out, HEAD + strlen(said->item[i].key), "mdta");
		(void)fputs(said->item[i].key, out);
	}
	put_head(out, ilst_bytes(said), "ilst");
	for (uint32_t i = 0; i < said->count; i++) {
		size_t length = strlen(said->item[i].value);

		put_number(out, (uint32_t)(HEAD + DATA_HEAD + length));
		put_number(out, i + 1);
		put_head(out, DATA_HEAD + length, "data");
		put_number(out, DATA_UTF8);
		put_number(out, 0);
		(void)fwrite(said->item[i].value, 1, length, out);
	}
}

static int put_copy(FILE *out, struct reader *in, int64_t from, int64_t to)
{
	const uint8_t *bytes;
	size_t count;
	int error = 0;

	for (; from < to && !error; from += (int64_t)count) {
		count = to - from < READER_BYTES ? (size_t)(to - from) : READER_BYTES;
		error = reader_look(in, from, count, &bytes);
		if (!error)
			(void)fwrite(bytes, 1, count, out);
	}
	return error;
}

/* Where the keys go in moov: into udta, where most look, unless that has some, or is odd. */
enum place { NOWHERE, IN_UDTA, IN_NEW_UDTA, IN_MOOV };

static enum place place_of_keys(const struct survey *survey)
{
	if (survey->fragments || survey->odd || survey->keys || survey->moovs != 1 ||
		survey->moov.end - survey->moov.start > MOOV_BYTES_MAX)
		return NOWHERE;
	if (!survey->quicktime && !survey->udta.end)
		return IN_NEW_UDTA;
	if (!survey->quicktime && survey->udta_whole && !survey->udta_meta)
		return IN_UDTA;
	return survey->meta ? NOWHERE : IN_MOOV;
}

static int put_moov(
	FILE *out, const struct survey *survey, const struct said *said, enum place place)
{
	const struct box *moov = &survey->moov, *udta = &survey->udta;
	uint64_t more = meta_bytes(said, place == IN_MOOV);
	int64_t inside = udta->end - udta->content;
	int error;

	if (place == IN_UDTA) /* its header may have had 64 bits */
		more += HEAD - (uint64_t)(udta->content - udta->start);
	else if (place == IN_NEW_UDTA)
		more += HEAD;
	put_head(out, HEAD + (uint64_t)(moov->end - moov->content) + more, "moov");
	error = put_copy(
		out, survey->in, moov->content, place == IN_UDTA ? udta->start : moov->end);
	if (place == IN_UDTA && !error) {
		put_head(out, HEAD + (uint64_t)inside + meta_bytes(said, false), "udta");
		error = put_copy(out, survey->in, udta->content, udta->end);
	} else if (place == IN_NEW_UDTA) {
		put_head(out, HEAD + meta_bytes(said, false), "udta");
	}
	put_meta(out, said, place == IN_MOOV);
	return place == IN_UDTA && !error ? put_copy(out, survey->in, udta->end, moov->end) : error;
}

static void put_xmp(FILE *out, const struct said *said)
{
	size_t length = strlen(said->xmp);

	put_head(out, HEAD + UUID_BYTES + length, "uuid");
	(void)fwrite(uuid_xmp, 1, UUID_BYTES, out);
	(void)fwrite(said->xmp, 1, length, out);
}

/* ------------------------------------------------------------------ the plan */

static const char *why_left(const struct survey *survey, enum place place)
{
	if (survey->manifest)
		return "It has a C2PA manifest, which signs its bytes";
	if (survey->is_open)
		return "Its last box has no end, so nothing can follow it";
	if (survey->index)
		return "It is in fragments, and their index must be its end";
	if (place == NOWHERE && survey->xmp)
		return "It has XMP already, and there is no place for keys";
	return NULL;
}

static int make(
	const struct survey *survey, const struct said *said, enum place place, struct marks *marks)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, &marks->bytes);
	int error = 0;

	if (!out)
		return -errno;
	if (place != NOWHERE)
		error = put_moov(out, survey, said, place);
	if (!survey->xmp)
		put_xmp(out, said);
	marks->tail = (uint8_t *)stream_text(out, &text);
	if (!marks->tail)
		return -ENOMEM;
	if (place != NOWHERE)
		marks->moov = survey->moov.start;
	return error;
}

int provenance_plan(int fd, int64_t bytes, const struct provenance *says, struct marks *marks)
{
	const char *why = NULL;
	struct reader in = {.fd = fd, .bytes = bytes, .why = &why};
	struct survey survey = {.in = &in, .left = BOXES_MAX};
	enum place place;
	struct said said;
	int error = look(&survey);

	*marks = (struct marks){0};
	if (error)
		return error;
	place = place_of_keys(&survey);
	marks->left = why_left(&survey, place);
	if (marks->left)
		return 0;
	error = said_make(says, !survey.label, &said);
	if (!error)
		error = make(&survey, &said, place, marks);
	said_clear(&said);
	return error;
}

void marks_clear(struct marks *marks)
{
	free(marks->tail);
	*marks = (struct marks){0};
}

/* ------------------------------------------------------------------ done and undone */

static int write_all(int fd, const void *bytes, size_t count, int64_t at)
{
	const uint8_t *from = bytes;

	while (count) {
		ssize_t wrote = pwrite(fd, from, count, at);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote < 0 ? -errno : -EIO;
		from += wrote;
		at += wrote;
		count -= (size_t)wrote;
	}
	return 0;
}

int provenance_write(int fd, int64_t bytes, const struct marks *marks)
{
	int error = write_all(fd, marks->tail, marks->bytes, bytes);

	if (!error && marks->moov)
		error = write_all(fd, "free", 4, marks->moov + TYPE_AT);
	return error;
}

int provenance_undo(int fd, int64_t bytes, int64_t moov)
{
	if (ftruncate(fd, bytes) < 0)
		return -errno;
	return write_all(fd, "moov", 4, moov + TYPE_AT);
}
