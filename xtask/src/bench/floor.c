/*
 * floor: what a container start costs when there is no runtime, only the kernel.
 *
 *     floor ROOTFS CGROUP COMMAND [ARG...]
 *
 * Performs, one after the other, the system calls that runc's default configuration asks for, and
 * nothing else: no configuration is parsed, no state is written, nothing is looked up twice. One
 * process and one clone. The time from its start to its end is what a runtime is compared with.
 *
 * CGROUP is a name such as "cuddy-bench-1": it is created below the root of each hierarchy, joined
 * by the container, and removed at the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NAMESPACES (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS)
#define QUIET (MS_NOSUID | MS_NOEXEC | MS_NODEV)

/* Ends the program, naming the call, unless the call succeeded. */
#define MUST(call) do { if ((call) < 0) die(#call, errno); } while (0)

static void die(const char *call, int error)
{
	fprintf(stderr, "floor: %s: %s\n", call, strerror(error));
	exit(125);
}

/* ---- cgroups ------------------------------------------------------------------------------ */

struct hierarchy {
	char dir[128];      /* the container's cgroup in this hierarchy */
	char top[128];      /* the hierarchy's mount point */
	char options[64];   /* what mounts it: "memory", "name=systemd", "" for v2 */
};

static struct hierarchy hierarchies[32];
static size_t hierarchy_count;

/* Reads /proc/self/cgroup, lines of ID:CONTROLLERS:PATH. Version 2 is the one without controllers. */
static void find_hierarchies(const char *cgroup)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[512];

	if (!file)
		die("fopen(/proc/self/cgroup)", errno);
	while (fgets(line, sizeof line, file) && hierarchy_count < COUNT(hierarchies)) {
		struct hierarchy *h = &hierarchies[hierarchy_count];
		char *options = strchr(line, ':') + 1;
		*strchr(options, ':') = 0;

		const char *name = strncmp(options, "name=", 5) ? options : options + 5;
		if (!*options)  /* version 2: beside the others, or alone */
			name = access("/sys/fs/cgroup/unified", F_OK) ? "." : "unified";
		snprintf(h->options, sizeof h->options, "%s", options);
		snprintf(h->top, sizeof h->top, "/sys/fs/cgroup/%s", name);
		snprintf(h->dir, sizeof h->dir, "/sys/fs/cgroup/%s/%s", name, cgroup);
		hierarchy_count++;
	}
	fclose(file);
}

static void write_file(const char *dir, const char *file, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, file);
	MUST(fd = open(path, O_WRONLY | O_CLOEXEC));
	if (write(fd, text, strlen(text)) < 0)
		die(path, errno);
	close(fd);
}

/* A new cpuset is empty and cannot be joined before it has processors and memory nodes. */
static void copy_cpuset(const struct hierarchy *h, const char *file)
{
	char path[256], text[256];
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "%s/%s", h->top, file);
	MUST(fd = open(path, O_RDONLY | O_CLOEXEC));
	MUST(length = read(fd, text, sizeof text - 1));
	close(fd);
	text[length] = 0;
	write_file(h->dir, file, text);
}

static void create_cgroups(void)
{
	static const char *const allowed[] = {
		"b *:* m", "c *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm",
		"c 1:9 rwm", "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm",
	};

	for (size_t i = 0; i < hierarchy_count; i++) {
		const struct hierarchy *h = &hierarchies[i];

		MUST(mkdir(h->dir, 0755));
		if (!strcmp(h->options, "cpuset")) {
			copy_cpuset(h, "cpuset.cpus");
			copy_cpuset(h, "cpuset.mems");
		}
		if (!strcmp(h->options, "devices")) {
			write_file(h->dir, "devices.deny", "a");
			for (size_t rule = 0; rule < COUNT(allowed); rule++)
				write_file(h->dir, "devices.allow", allowed[rule]);
		}
	}
}

static void join_cgroups(pid_t pid)
{
	char text[16];

	snprintf(text, sizeof text, "%d", pid);
	for (size_t i = 0; i < hierarchy_count; i++)
		write_file(hierarchies[i].dir, "cgroup.procs", text);
}

static void remove_cgroups(void)
{
	for (size_t i = 0; i < hierarchy_count; i++)
		MUST(rmdir(hierarchies[i].dir));
}

/* ---- the container's side ----------------------------------------------------------------- */

static void make_mounts(void)
{
	MUST(mount("proc", "proc", "proc", 0, NULL));
	MUST(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
	MUST(mkdir("dev/pts", 0755));
	MUST(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		   "newinstance,ptmxmode=0666,mode=0620,gid=5"));
	MUST(mkdir("dev/shm", 0755));
	MUST(mount("shm", "dev/shm", "tmpfs", QUIET, "mode=1777,size=65536k"));
	MUST(mkdir("dev/mqueue", 0755));
	MUST(mount("mqueue", "dev/mqueue", "mqueue", QUIET, NULL));
	MUST(mount("sysfs", "sys", "sysfs", QUIET | MS_RDONLY, NULL));
}

/* Version 1 hierarchies are mounted one by one below a tmpfs; version 2 alone is one mount. */
static void mount_cgroups(void)
{
	char path[128];

	if (hierarchy_count == 1) {
		MUST(mount("cgroup", "sys/fs/cgroup", "cgroup2", QUIET | MS_RDONLY, NULL));
		return;
	}
	MUST(mount("tmpfs", "sys/fs/cgroup", "tmpfs", QUIET, "mode=755"));
	for (size_t i = 0; i < hierarchy_count; i++) {
		const struct hierarchy *h = &hierarchies[i];

		if (!*h->options)
			continue;
		snprintf(path, sizeof path, "sys/fs/cgroup/%s", strrchr(h->top, '/') + 1);
		MUST(mkdir(path, 0755));
		MUST(mount("cgroup", path, "cgroup", QUIET | MS_RDONLY, h->options));
	}
	MUST(mount(NULL, "sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | QUIET, NULL));
}

static void make_devices(void)
{
	static const struct { const char *path; unsigned major, minor; } nodes[] = {
		{ "dev/null", 1, 3 }, { "dev/zero", 1, 5 },   { "dev/full", 1, 7 },
		{ "dev/tty", 5, 0 },  { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 },
	};
	static const struct { const char *target, *path; } links[] = {
		{ "pts/ptmx", "dev/ptmx" },           { "/proc/self/fd", "dev/fd" },
		{ "/proc/self/fd/0", "dev/stdin" },   { "/proc/self/fd/1", "dev/stdout" },
		{ "/proc/self/fd/2", "dev/stderr" },
	};

	for (size_t i = 0; i < COUNT(nodes); i++) {
		MUST(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
		MUST(chown(nodes[i].path, 0, 0));
	}
	for (size_t i = 0; i < COUNT(links); i++)
		MUST(symlink(links[i].target, links[i].path));
}

/* The old root goes on top of the new one and is then let go: pivot_root(2), "pivot_root(".", ".")". */
static void enter_root(void)
{
	MUST(syscall(SYS_pivot_root, ".", "."));
	MUST(mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL));
	MUST(umount2(".", MNT_DETACH));
	MUST(chdir("/"));
	MUST(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

static void hide_paths(void)
{
	static const char *const masked[] = {
		"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
		"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
	};
	static const char *const readonly[] = {
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	};

	for (size_t i = 0; i < COUNT(readonly); i++) {
		if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) < 0 && errno == ENOENT)
			continue;
		MUST(mount(NULL, readonly[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	}
	for (size_t i = 0; i < COUNT(masked); i++) {
		if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
			continue;
		MUST(mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL));
	}
}

static void raise_loopback(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	int fd;

	MUST(fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	MUST(ioctl(fd, SIOCGIFFLAGS, &lo));
	lo.ifr_flags |= IFF_UP;
	MUST(ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
}

static void drop_privileges(void)
{
	const unsigned kept = 1 << CAP_AUDIT_WRITE | 1 << CAP_KILL | 1 << CAP_NET_BIND_SERVICE;
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2] = { { kept, kept, 0 }, { 0, 0, 0 } };

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (cap > 31 || !(kept >> cap & 1))
			MUST(prctl(PR_CAPBSET_DROP, cap));
	MUST(prctl(PR_SET_KEEPCAPS, 1));
	MUST(setgroups(0, NULL));
	MUST(setresgid(0, 0, 0));
	MUST(setresuid(0, 0, 0));
	MUST(syscall(SYS_capset, &header, sets));
	MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* Becomes the container; waits for its cgroups first, as the cgroup namespace shows the one it is in. */
static int contain(const char *rootfs, char **command, int joined)
{
	static char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL,
	};
	struct rlimit files = { 1024, 1024 };
	char byte;

	if (read(joined, &byte, 1) != 1)
		die("read(joined)", EPIPE);
	MUST(setsid());
	MUST(unshare(CLONE_NEWCGROUP));
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "cuddy-floor");

	MUST(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL));
	MUST(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL));
	MUST(chdir(rootfs));
	make_mounts();
	mount_cgroups();
	make_devices();
	enter_root();
	hide_paths();

	raise_loopback();
	MUST(sethostname("runc", 4));
	MUST(setrlimit(RLIMIT_NOFILE, &files));
	drop_privileges();
	umask(022);
	execve(command[0], command, environment);
	die(command[0], errno);
	return 125;
}

int main(int argc, char **argv)
{
	int joined[2], status;
	pid_t pid;

	if (argc < 4) {
		fprintf(stderr, "usage: floor ROOTFS CGROUP COMMAND [ARG...]\n");
		return 2;
	}
	find_hierarchies(argv[2]);
	create_cgroups();

	MUST(pipe2(joined, O_CLOEXEC));
	/* fork with namespaces: no stack of its own, so the child goes on here */
	MUST(pid = syscall(SYS_clone, NAMESPACES | SIGCHLD, NULL, NULL, NULL, NULL));
	if (pid == 0) {
		close(joined[1]);
		return contain(argv[1], argv + 3, joined[0]);
	}

	join_cgroups(pid);
	MUST(write(joined[1], "", 1));
	MUST(waitpid(pid, &status, 0));
	remove_cgroups();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
