# SPDX-License-Identifier: GPL-2.0-only
# Targets for people: all (default), test, test-kernels, fuzz, demo, bench, bench-live, bench-loop, bench-ingest, install, clean. Output goes to build/.

PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)

B        := build
VERSION  := 0.1.0
PKGS     := libbpf libxdp libnl-3.0 libnl-route-3.0 jansson libcyaml yaml-0.1 \
	libevent libevent_openssl libssl libcrypto libsystemd libpcap
# Recursive on purpose: asked once the packages are there, not when make starts.
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS   = $(shell pkg-config --libs $(PKGS))

WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes
CFLAGS   ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(CFLAGS) -D_GNU_SOURCE -DSLUICE_VERSION='"$(VERSION)"' \
	-I. -I$(B) $(PKG_CFLAGS) -MMD -MP
LIBS      = $(PKG_LIBS) -lm

# Headers are written by words and by fields, which strict aliasing would take for two objects.
BPF_CFLAGS := -O2 -g -Wall -Werror -fno-strict-aliasing -target bpf -mcpu=v3 -I. \
	-I/usr/include/$(shell $(CC) -print-multiarch) -MMD -MP

BPF_OBJS  := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.bpf.o,$(wildcard bpf/*.bpf.c))
SKELETONS := $(BPF_OBJS:.bpf.o=.skel.h)
CORE_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard user/core/*.c))
# Everything but main(), so that tests link what users run.
LIB_OBJS  := $(filter-out $(B)/user/sluice.o,$(patsubst %.c,$(B)/%.o,$(wildcard user/*.c user/*/*.c)))

UNIT_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*.c))
PROG_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/prog/test_*.c))
PROG_SHARED := $(addprefix tests/prog/,icmp.c icmp.h measure.c measure.h node.c node.h packet.c packet.h policy_world.c policy_world.h pool.c pool.h way.c way.h world.c world.h)
TEST_BPF   := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(wildcard tests/*/*.bpf.c))
TEST_SKELS := $(TEST_BPF:.bpf.o=.skel.h)
TEST_HELPERS := $(patsubst %.c,$(B)/%,$(filter-out %.bpf.c,$(wildcard tests/net/*.c)))
BENCH_LIVE := $(B)/tests/bench/live/generator
BENCH_INGEST := $(B)/tests/bench/ingest/sender
LOOP_HELPERS := $(B)/tests/net/open_loop $(B)/tests/net/worker_server
BENCH      := $(if $(wildcard tests/bench/*.c),$(B)/tests/bench/bench)

# make V=1 shows the commands.
Q := $(if $(V),,@)

all: $(B)/sluice

$(B)/sluice: $(B)/user/sluice.o $(B)/libsluice.a
	@printf '  %-8s%s\n' LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/libsluice.a: $(LIB_OBJS)
	@rm -f $@
	@printf '  %-8s%s\n' AR $@
	$(Q)ar rcs $@ $^

$(B)/libcore.a: $(CORE_OBJS)
	@rm -f $@
	@printf '  %-8s%s\n' AR $@
	$(Q)ar rcs $@ $^

$(B)/%.bpf.o: %.bpf.c
	@mkdir -p $(@D)
	@printf '  %-8s%s\n' BPF $@
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

# The skeleton's name comes from the file's: lb.bpf.o gives struct lb_bpf.
%.skel.h: %.bpf.o
	@printf '  %-8s%s\n' SKELETON $@
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst -,_,$(notdir $*))_bpf > $@ || { rm -f $@; exit 1; }

$(B)/user/%.o: user/%.c | $(SKELETONS)
	@mkdir -p $(@D)
	@printf '  %-8s%s\n' CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(B)/tests/unit/%: tests/unit/%.c $(B)/libcore.a
	@mkdir -p $(@D)
	@printf '  %-8s%s\n' CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) $(B)/libcore.a $(LIBS) -lcmocka

# What is not of the core, and can be tried without a kernel all the same.
$(B)/tests/unit/egress: $(B)/user/io/egress.o
$(B)/tests/unit/ssh_session: $(B)/user/io/ssh_session.o $(B)/user/io/file.o

$(B)/tests/prog/%: tests/prog/%.c $(PROG_SHARED) $(B)/libsluice.a | $(TEST_SKELS)
	@mkdir -p $(@D)
	@printf '  %-8s%s\n' CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $(filter %.c,$^) $(B)/libsluice.a $(LIBS) -lcmocka

$(B)/tests/net/%: tests/net/%.c
	@mkdir -p $(@D)
	@printf '  %-8s%s\n' CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(filter %.a,$^) $(if $(filter %.a,$^),$(LIBS)) -lm

$(B)/tests/net/measure: $(B)/libsluice.a

# One command for all files leaves the dependencies of the last one only, so they are named here.
$(B)/tests/bench/bench: $(filter-out %.bpf.c,$(wildcard tests/bench/*.[ch])) \
		$(filter $(B)/tests/bench/%,$(TEST_SKELS)) $(B)/libsluice.a
	@mkdir -p $(@D)
	@printf '  %-8s%s\n' CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $(filter %.c,$^) $(B)/libsluice.a $(LIBS)

$(BENCH_LIVE): tests/bench/live/generator.c $(BENCH_LIVE).skel.h
	@printf '  %-8s%s\n' CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(LIBS)

$(BENCH_INGEST): $(wildcard tests/bench/ingest/*.[ch]) $(B)/libsluice.a
	@mkdir -p $(@D)
	@printf '  %-8s%s\n' CC $@
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $(filter %.c,$^) $(B)/libsluice.a $(LIBS)

tests: $(UNIT_TESTS) $(PROG_TESTS) $(TEST_HELPERS) $(BENCH) $(BENCH_LIVE) $(BENCH_INGEST) $(TEST_BPF)

deps:
	@scripts/install-deps.sh

# A second make, so that it looks for pkg-config and bpftool after deps has installed them.
test: deps
	@$(MAKE) --no-print-directory -j2 all tests
	@tests/run.sh

# Apart from test: it downloads a kernel, and emulates it for a quarter of an hour.
KERNEL  ?= 6.1
test-kernels:
	@scripts/install-deps.sh kernels live
	@$(MAKE) --no-print-directory -j2 all tests
	@tests/kernels/run.sh $(KERNEL)

# The programs compiled for userspace. Unaligned reads are no finding: headers in a packet have no
# alignment, and BPF needs none. Variables start as a pattern, so that what is read unset is seen.
FUZZ_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Itests/fuzz -I. -fno-strict-aliasing \
	-ftrivial-auto-var-init=pattern \
	-fsanitize=fuzzer,address,undefined -fno-sanitize=alignment -fno-sanitize-recover=undefined
FUZZ_SHARED := $(addprefix tests/fuzz/,kernel.c kernel_maps.c packets.c wire.c)

$(B)/fuzz/%: tests/fuzz/%.c $(wildcard tests/fuzz/*.[ch] tests/fuzz/bpf/*.h bpf/* maps/*.h)
	@mkdir -p $(@D)
	@printf '  %-8s%s\n' FUZZ $@
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -o $@ $(wildcard tests/fuzz/$*.c tests/fuzz/$*_*.c) $(FUZZ_SHARED)

fuzz:
	@scripts/install-deps.sh fuzz
	@$(MAKE) --no-print-directory -j2 $(B)/fuzz/lb $(B)/fuzz/node
	@tests/fuzz/run.sh

demo: deps
	@$(MAKE) --no-print-directory -j2 all
	@scripts/demo.sh

bench: deps
	@$(MAKE) --no-print-directory -j2 all tests
	@$(B)/tests/bench/bench

bench-live:
	@scripts/install-deps.sh live
	@$(MAKE) --no-print-directory -j2 all $(BENCH_LIVE)
	@tests/bench/live/run.sh

bench-loop:
	@scripts/install-deps.sh live
	@$(MAKE) --no-print-directory -j2 all $(LOOP_HELPERS)
	@tests/bench/loop/run.sh

bench-ingest: deps
	@$(MAKE) --no-print-directory -j2 all $(BENCH_INGEST)
	@tests/bench/ingest/run.sh

install: all
	install -D -m 0755 $(B)/sluice $(DESTDIR)$(PREFIX)/sbin/sluice
	install -D -m 0644 scripts/sluice.bash-completion \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/sluice
	install -D -m 0644 scripts/sluice.service $(DESTDIR)$(PREFIX)/lib/systemd/system/sluice.service
	install -D -m 0644 scripts/sluice-agent.service \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/sluice-agent.service

clean:
	rm -rf $(B)

.PHONY: all tests deps test test-kernels fuzz demo bench bench-live bench-loop bench-ingest install clean
.SECONDARY:
.DELETE_ON_ERROR:

-include $(shell find $(B) -name '*.d' 2>/dev/null)
