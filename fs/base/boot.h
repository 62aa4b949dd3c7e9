/* boot.h - which start of the machine this is. Any thread may call. */
#ifndef KINOFS_BASE_BOOT_H
#define KINOFS_BASE_BOOT_H

#include <stdbool.h>

#define BOOT_ID_BYTES 40

/* A text without blanks, of the kernel's random(4): another after each start of the machine. False:
 * it cannot be found out, and id is "". */
bool boot_id(char id[BOOT_ID_BYTES]);

#endif
