#include "fs/base/filesystem.h"

#include "fs/base/array.h"

#include <linux/magic.h>
#include <stdint.h>
#include <sys/vfs.h>

/* Those that <linux/magic.h> does not name, from statfs(2) and the kernel's own sources. */
#define LUSTRE   0x0BD00BD0
#define GFS2     0x01161970
#define GPFS     0x47504653
#define BEEGFS   0x19830326
#define VBOXSF   0x786F4256
#define VMHGFS   0xBACBACBC
#define ORANGEFS 0x20030528

enum filesystem filesystem_of(int fd, const char **name)
{
	static const struct {
		uint32_t magic;
		enum filesystem kind;
		const char *name;
	} known[] = {
		{FUSE_SUPER_MAGIC, FILESYSTEM_FUSE, "another FUSE filesystem"},
		{NFS_SUPER_MAGIC, FILESYSTEM_NETWORK, "NFS"},
		{CIFS_SUPER_MAGIC, FILESYSTEM_NETWORK, "CIFS"},
		{SMB2_SUPER_MAGIC, FILESYSTEM_NETWORK, "SMB"},
		{SMB_SUPER_MAGIC, FILESYSTEM_NETWORK, "SMB"},
		{V9FS_MAGIC, FILESYSTEM_NETWORK, "9p"},
		{CEPH_SUPER_MAGIC, FILESYSTEM_NETWORK, "Ceph"},
		{AFS_SUPER_MAGIC, FILESYSTEM_NETWORK, "AFS"},
		{AFS_FS_MAGIC, FILESYSTEM_NETWORK, "AFS"},
		{CODA_SUPER_MAGIC, FILESYSTEM_NETWORK, "Coda"},
		{NCP_SUPER_MAGIC, FILESYSTEM_NETWORK, "NCP"},
		{OCFS2_SUPER_MAGIC, FILESYSTEM_NETWORK, "OCFS2"},
		{LUSTRE, FILESYSTEM_NETWORK, "Lustre"},
		{GFS2, FILESYSTEM_NETWORK, "GFS2"},
		{GPFS, FILESYSTEM_NETWORK, "GPFS"},
		{BEEGFS, FILESYSTEM_NETWORK, "BeeGFS"},
		{ORANGEFS, FILESYSTEM_NETWORK, "OrangeFS"},
		{VBOXSF, FILESYSTEM_NETWORK, "a folder shared by VirtualBox"},
		{VMHGFS, FILESYSTEM_NETWORK, "a folder shared by VMware"},
	};
	struct statfs info;

	*name = "a local filesystem";
	if (fstatfs(fd, &info) < 0)
		return FILESYSTEM_LOCAL;
	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].magic == (uint32_t)info.f_type) {
			*name = known[i].name;
			return known[i].kind;
		}
	return FILESYSTEM_LOCAL;
}
