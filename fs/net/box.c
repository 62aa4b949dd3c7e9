#include "fs/net/box.h"

#include <endian.h>

/* Size 1: a 64-bit size follows; size 0: to the end. */
int box_read(struct reader *in, int64_t at, int64_t limit, struct box *box)
{
	struct {
		uint32_t size;
		char type[4];
	} head;
	uint64_t size, header = sizeof(head);
	int error;

	if (limit - at < (int64_t)sizeof(head))
		return reader_bad(in, "The file ends inside a box.");
	error = reader_copy(in, &head, sizeof(head), at);
	if (error < 0)
		return error;
	size = be32toh(head.size);
	box->is_open = size == 0;
	if (size == 1) {
		header += sizeof(size);
		if (limit - at < (int64_t)header)
			return reader_bad(in, "The file ends inside a box.");
		error = reader_copy(in, &size, sizeof(size), at + (int64_t)sizeof(head));
		if (error < 0)
			return error;
		size = be64toh(size);
	} else if (size == 0) {
		size = (uint64_t)(limit - at);
	}
	if (size < header)
		return reader_bad(in, "A box is smaller than its own header.");
	if (size > (uint64_t)(limit - at))
		return reader_bad(in, "The file ends inside a box.");
	memcpy(box->type, head.type, 4);
	box->start = at;
	box->content = at + (int64_t)header;
	box->end = at + (int64_t)size;
	return 0;
}
