#include "fs/base/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Only what is never written to: those pages are the file's. */
static int release_object(struct dl_phdr_info *object, size_t size, void *context)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size, (void)context;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t begin = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
		uintptr_t end = (object->dlpi_addr + part->p_vaddr + part->p_memsz) & ~(page - 1);

		if (part->p_type == PT_LOAD && !(part->p_flags & PF_W) && begin < end)
			(void)madvise((void *)begin, end - begin, MADV_DONTNEED); /* no harm */
	}
	return 0;
}

void memory_release(void)
{
	(void)malloc_trim(0); /* whether there was any */
	(void)dl_iterate_phdr(release_object, NULL);
}

void memory_guard(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none); /* lowering never fails */
#ifndef __SANITIZE_ADDRESS__                 /* whose leak check is a debugger */
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}
