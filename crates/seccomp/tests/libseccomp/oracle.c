/* Builds a filter with libseccomp the way runc does and writes its program to standard output.
 *
 * Standard input, one word after the other:
 *   default ACTION   (the number, as SCMP_ACT_... has it)
 *   arch TOKEN       (SCMP_ARCH_..., the first one is the native one)
 *   rule ACTION NAME COUNT (INDEX OPERATOR A B)*
 * Names that libseccomp does not know go to standard error, one a line, and at the end how many nanoseconds it took.
 */
#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void must(int rc, const char *what)
{
	if (rc < 0) {
		fprintf(stderr, "! %s: %s\n", what, strerror(-rc));
		exit(1);
	}
}

/* Nanoseconds. */
static long now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

int main(void)
{
	scmp_filter_ctx ctx = NULL;
	char word[64], name[64];
	uint32_t number;
	int archs = 0, rules = 0;
	long taken = 0;

	while (scanf("%63s %" SCNu32, word, &number) == 2) {
		if (!strcmp(word, "default")) {
			ctx = seccomp_init(number);
			if (!ctx)
				must(-EINVAL, "seccomp_init");
			must(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "badarch");
		} else if (!strcmp(word, "arch")) {
			int rc = seccomp_arch_add(ctx, number);
			if (rc != -EEXIST)
				must(rc, "seccomp_arch_add");
			if (archs++ == 0 && number != seccomp_arch_native())
				must(seccomp_arch_remove(ctx, seccomp_arch_native()), "seccomp_arch_remove");
		} else {
			struct scmp_arg_cmp args[6];
			unsigned count = 0;
			if (scanf("%63s %u", name, &count) != 2 || count > 6)
				must(-EINVAL, "rule");
			for (unsigned i = 0; i < count; i++) {
				unsigned index, op;
				if (scanf("%u %u %" SCNu64 " %" SCNu64, &index, &op, &args[i].datum_a, &args[i].datum_b) != 4)
					must(-EINVAL, "argument");
				args[i].arg = index;
				args[i].op = op;
			}
			long start = now();
			int call = seccomp_syscall_resolve_name(name);
			if (call == __NR_SCMP_ERROR) {
				fprintf(stderr, "%s\n", name);
				continue;
			}
			must(seccomp_rule_add_array(ctx, number, call, count, args), name);
			taken += now() - start;
			rules++;
		}
	}
	if (rules > 32)
		seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	long start = now();
	must(seccomp_export_bpf(ctx, 1), "seccomp_export_bpf");
	fprintf(stderr, "# %ld\n", taken + now() - start);
	return 0;
}
