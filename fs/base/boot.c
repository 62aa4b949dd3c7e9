#include "fs/base/boot.h"

#include "fs/base/cleanup.h"
#include "fs/base/read.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

bool boot_id(char id[BOOT_ID_BYTES])
{
	AUTO_FREE char *text = NULL;
	size_t bytes, length;

	*id = '\0';
	if (read_whole_at(
		    AT_FDCWD, "/proc/sys/kernel/random/boot_id", BOOT_ID_BYTES, &text, &bytes) < 0)
		return false;
	length = strcspn(text, " \n");
	if (length == 0 || length >= BOOT_ID_BYTES)
		return false;
	(void)snprintf(id, BOOT_ID_BYTES, "%.*s", (int)length, text); /* fits */
	return true;
}
