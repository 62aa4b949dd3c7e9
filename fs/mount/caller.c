#include "fs/mount/caller.h"

#include "fs/mount/fs.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Without it modes hold for root too (capabilities(7)). */
static bool passes_modes(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[CAP_TO_INDEX(CAP_DAC_OVERRIDE)].effective & CAP_TO_MASK(CAP_DAC_OVERRIDE);
}

bool caller_is_root_only(const char *fuse_options)
{
	const char *options = fuse_options ? fuse_options : "";

	return geteuid() == 0 && passes_modes() && !strstr(options, "allow_") &&
	       !strstr(options, "default_permissions");
}

int caller_check(fuse_req_t req)
{
	return mount_of(req)->root_only && fuse_req_ctx(req)->uid != 0 ? -EACCES : 0;
}
