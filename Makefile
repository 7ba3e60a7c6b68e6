# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# make            build build/perfbpf
# make demo       install what is missing, build, compare kubectl with curl
# make check      install what tests need, build, run all tests
# make check-kernels   the truth tests on Linux 6.1 and 6.12, in QEMU
# make bench      the table of figures beside other tools
# make static     build/static/perfbpf, without libraries; static-dist: as a tarball with its scenarios
# make install    PREFIX=/usr/local DESTDIR=
# make clean fmt docs

SHELL   := /bin/bash
PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
VERSION := $(shell cat VERSION)

CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(shell command -v bpftool /usr/sbin/bpftool 2>/dev/null) bpftool)
PKGS    := libbpf libdw libelf liblzma zlib yaml-0.1 jansson libcap

# Libraries that one driver needs: where its headers are missing, that driver is left out, and
# `perfbpf list` says so. Each has its folder below src/drive/, and is loaded where it is used
# (dlopen), since with what it needs in turn it would cost every run time and memory.
HAVE_POSTGRES := $(shell pkg-config --exists libpq && echo libpq)
HAVE_KAFKA    := $(shell pkg-config --exists rdkafka && echo rdkafka)
LIBRARY_CFLAGS := $(if $(HAVE_POSTGRES),-DHAVE_POSTGRES $(shell pkg-config --cflags libpq)) \
		  $(if $(HAVE_KAFKA),-DHAVE_KAFKA $(shell pkg-config --cflags rdkafka))
ABSENT        := $(if $(HAVE_POSTGRES),,postgres) $(if $(HAVE_KAFKA),,kafka)

ARCH     := $(shell uname -m | sed 's/aarch64/arm64/')
BPF_ARCH := $(patsubst x86_64,x86,$(ARCH))

# V=1 shows the commands.
V ?= 0
ifeq ($(V),0)
Q   := @
say  = @printf '  %-7s %s\n' $(1) $(2)
else
Q   :=
say  =
endif

# WERROR=1 (CI) turns warnings into errors.
WERROR   ?= 0
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wmissing-prototypes \
	    -Wstrict-prototypes -Wwrite-strings -Wpointer-arith $(if $(filter 1,$(WERROR)),-Werror)
CFLAGS   ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -DPERFBPF_VERSION='"$(VERSION)"' -DPERFBPF_DATADIR='"$(PREFIX)/share/perfbpf"' \
	    -Isrc -Ibpf -I$(BUILD) $(LIBRARY_CFLAGS)
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(CFLAGS) -fno-omit-frame-pointer -fstack-protector-strong -MMD -MP
LDLIBS   := $(shell pkg-config --libs $(PKGS)) -liberty -lpthread -lm

SRCS      := $(filter-out $(foreach driver,$(ABSENT),src/drive/$(driver)/%), \
	     $(sort $(wildcard src/*/*.c src/*/*/*.c)))
OBJS      := $(SRCS:src/%.c=$(BUILD)/obj/%.o)
MAIN_OBJ  := $(BUILD)/obj/cmd/main.o
BPF_SRCS  := $(sort $(wildcard bpf/*.bpf.c))
BPF_OBJS  := $(BPF_SRCS:bpf/%.bpf.c=$(BUILD)/bpf/%.bpf.o)
TRUTH     := $(patsubst tests/truth/%.c,$(BUILD)/truth/%, \
	     $(filter-out $(if $(HAVE_KAFKA),,tests/truth/mock_broker.c),$(sort $(wildcard tests/truth/*.c)))) \
	     $(addprefix $(BUILD)/truth/,stack_tree_stripped stack_tree_fp stack_late_1.so stack_late_2.so) \
	     $(if $(shell command -v $(CXX)),$(BUILD)/truth/stack_classes)
BENCH     := $(patsubst tools/bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard tools/bench/*.c)))
UNIT      := $(patsubst tests/unit/%.c,$(BUILD)/unit/%, \
	     $(filter-out $(foreach driver,$(ABSENT),tests/unit/test_drive_$(driver)%), \
	     $(sort $(wildcard tests/unit/test_*.c))))

.PHONY: all static static-dist demo check check-kernels bench install clean fmt fmt-check docs deps unit unit-asan truth benches bpf
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/perfbpf

$(BUILD)/perfbpf: $(OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(OBJS) $(LDLIBS)

# One file for hosts without the libraries. What is loaded where it is used is left out of it; all
# other objects are those of the usual build. That the C library would load modules to look names up
# (src/util/build.c sees to it that it does not) is what its linker warns of.
STATIC_OWN    := util/build drive/driver conduct/scrape
STATIC_OBJS   := $(STATIC_OWN:%=$(BUILD)/static/obj/%.o) $(filter-out $(STATIC_OWN:%=$(BUILD)/obj/%.o) \
		 $(BUILD)/obj/drive/postgres/% $(BUILD)/obj/drive/kafka/%,$(OBJS))
STATIC_LDLIBS  = $(shell pkg-config --static --libs $(PKGS)) -liberty -lpthread -lm
STATIC_NAME   := perfbpf-$(VERSION)-$(shell uname -m)

static: $(BUILD)/static/perfbpf

$(BUILD)/static/perfbpf: $(STATIC_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -static -no-pie -o $@ $(STATIC_OBJS) $(STATIC_LDLIBS) 2>$@.log || \
		{ cat $@.log >&2; exit 1; }
	$(Q)grep -v -e 'in statically linked applications requires' -e ': in function ' $@.log >&2 || true

$(BUILD)/static/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) -DPERFBPF_STATIC $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/libperfbpf.a: $(filter-out $(MAIN_OBJ),$(OBJS))
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# Only what loads the programs needs the skeleton.
$(BUILD)/obj/probe/%.o: CPPFLAGS += -Wno-conversion
$(filter $(BUILD)/obj/probe/%,$(OBJS)): $(BUILD)/perfbpf.skel.h

# What the compiler's headers call each system call, for src/conduct/syscall_name.c.
$(BUILD)/syscall_names.inc:
	@mkdir -p $(@D)
	$(Q)echo '#include <sys/syscall.h>' | $(CC) -E -dM - | \
		awk '/^#define __NR_/ && $$2 !~ /^__NR_(syscalls|arch_specific_syscall|SYSCALL_BASE)$$/ { \
			name = $$2; sub(/^__NR_/, "", name); \
			printf "[%s] = \"%s\",\n", $$2, name }' | sort >$@
$(BUILD)/obj/conduct/syscall_name.o: $(BUILD)/syscall_names.inc

# What report.html holds as it is (src/report/html_assets.c), as strings of C. Without Debian's
# libjs-dygraphs, or without the notice that has to go with it, the page has no interactive charts.
DYGRAPHS        := /usr/share/javascript/dygraphs
DYGRAPHS_NOTICE := /usr/share/doc/libjs-dygraphs/copyright
HAVE_DYGRAPHS   := $(and $(wildcard $(DYGRAPHS)/dygraph.min.js),$(wildcard $(DYGRAPHS_NOTICE)))
AS_STRING       := sed 's/[\\"]/\\&/g; s/.*/"&\\n"/'
HTML_ASSETS     := $(addprefix $(BUILD)/html_,style.inc script.inc library.inc library_style.inc)

$(BUILD)/html_style.inc: $(addprefix src/report/html_,style.css tables.css charts.css fit.css)
$(BUILD)/html_script.inc: $(addprefix src/report/html_,numbers.js page.js script.js)
$(BUILD)/html_style.inc $(BUILD)/html_script.inc:
	@mkdir -p $(@D)
	$(Q)cat $^ | $(AS_STRING) >$@
$(BUILD)/html_library.inc $(BUILD)/html_library_style.inc &: Makefile
	@mkdir -p $(@D)
ifneq ($(HAVE_DYGRAPHS),)
	$(Q){ echo '/*'; sed '/^OTHER DEALINGS IN/q' $(DYGRAPHS_NOTICE); echo '*/'; \
		grep -v '^//# sourceMappingURL' $(DYGRAPHS)/dygraph.min.js; } | \
		$(AS_STRING) >$(BUILD)/html_library.inc
	$(Q)sed 's|/[*]# sourceMappingURL.*||' $(DYGRAPHS)/dygraph.min.css | $(AS_STRING) \
		>$(BUILD)/html_library_style.inc
else
	$(Q)echo '""' | tee $(BUILD)/html_library.inc >$(BUILD)/html_library_style.inc
endif
$(BUILD)/obj/report/html_assets.o: $(HTML_ASSETS)

# --- BPF ---------------------------------------------------------------------
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Wextra \
	      -Wno-unused-parameter -Wno-missing-declarations $(if $(filter 1,$(WERROR)),-Werror) \
	      -Ibpf -Ivmlinux/$(ARCH) -idirafter /usr/include/$(shell uname -m)-linux-gnu

bpf: $(BUILD)/perfbpf.bpf.o

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h) vmlinux/$(ARCH)/vmlinux.h
	@mkdir -p $(@D)
	$(call say,BPF,$<)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(BUILD)/perfbpf.bpf.o: $(BPF_OBJS)
	$(call say,BPF,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(BUILD)/perfbpf.skel.h: $(BUILD)/perfbpf.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name perfbpf > $@

# --- tests -------------------------------------------------------------------
# Of a unit test most of the time would go into making it fast.
$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libperfbpf.a
	@mkdir -p $(@D)
	$(call say,TEST,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -O0 -o $@ $< $(BUILD)/libperfbpf.a $(LDLIBS) -lcmocka

$(BUILD)/truth/%: tests/truth/%.c $(wildcard tests/truth/*.h)
	@mkdir -p $(@D)
	$(call say,TRUTH,$<)
	$(Q)$(CC) -D_GNU_SOURCE -Itests/truth $(ALL_CFLAGS) $(TRUTH_CFLAGS) -o $@ $< $(TRUTH_LIBS) -lpthread

$(BUILD)/truth/mock_broker: TRUTH_LIBS = -lrdkafka

# What is to be walked is built as distributions build theirs; but for one, with the opposite.
STACKS_CFLAGS := -O2 -fomit-frame-pointer
$(BUILD)/truth/stack_%: TRUTH_CFLAGS = $(STACKS_CFLAGS)

$(BUILD)/truth/stack_tree_fp: TRUTH_CFLAGS = -O2 -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -g0
$(BUILD)/truth/stack_tree_fp: tests/truth/stack_tree.c $(wildcard tests/truth/*.h)
	@mkdir -p $(@D)
	$(call say,TRUTH,$@)
	$(Q)$(CC) -D_GNU_SOURCE -Itests/truth $(ALL_CFLAGS) $(TRUTH_CFLAGS) -o $@ $<

$(BUILD)/truth/stack_tree_stripped: $(BUILD)/truth/stack_tree
	$(Q)strip -o $@ $<

$(BUILD)/truth/stack_late_1.so: LATE := -DLATE=late_first -DROOM=40
$(BUILD)/truth/stack_late_2.so: LATE := -DLATE=late_second -DROOM=600
$(BUILD)/truth/stack_late_%.so: tests/truth/library/late.c
	@mkdir -p $(@D)
	$(call say,TRUTH,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(STACKS_CFLAGS) -shared -fPIC $(LATE) -o $@ $<

$(BUILD)/truth/stack_classes: tests/truth/stack_classes.cc
	@mkdir -p $(@D)
	$(call say,TRUTH,$<)
	$(Q)$(CXX) -std=gnu++17 -Wall -Wextra $(CFLAGS) $(STACKS_CFLAGS) -o $@ $<

# What `make bench` measures with, beside perfbpf itself.
$(BUILD)/bench/%: tools/bench/%.c $(BUILD)/libperfbpf.a
	@mkdir -p $(@D)
	$(call say,BENCH,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(BENCH_LDFLAGS) -o $@ $< $(BUILD)/libperfbpf.a $(LDLIBS)

$(BUILD)/bench/open_loop: BENCH_LDFLAGS = -Wl,--wrap=recv,--wrap=tally_add

benches: $(BENCH)
truth: $(TRUTH)
unit: $(UNIT)
	@tools/run-unit.sh $(UNIT)

# The same unit tests with AddressSanitizer and UndefinedBehaviorSanitizer, in a build of their own.
unit-asan:
	$(MAKE) BUILD=$(BUILD)/asan CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined' unit

check:
	tools/install-deps.sh build test
	tools/check.sh

check-kernels:
	tools/install-deps.sh build test kernels
	$(MAKE) all truth
	tools/check-kernels.sh

deps:
	tools/install-deps.sh build

demo:
	tools/install-deps.sh build demo
	$(MAKE) all
	tools/demo.sh

bench:
	tools/install-deps.sh build bench
	$(MAKE) all truth benches
	tools/bench/bench.sh

# --- the rest ----------------------------------------------------------------
# $(call install_files,PROGRAM,PREFIX)
define install_files
	install -D -m 755 $(1) $(2)/bin/perfbpf
	cd scenarios && find . -name '*.yaml' -exec install -D -m 644 {} $(2)/share/perfbpf/scenarios/{} \;
	cd scenarios && find scripts -type f ! -name '*.pyc' -exec install -D -m 755 {} $(2)/share/perfbpf/scenarios/{} \;
	install -D -m 644 docs/run.schema.json $(2)/share/perfbpf/run.schema.json
	install -D -m 644 README.md $(2)/share/doc/perfbpf/README.md
	install -D -m 644 LICENSE $(2)/share/doc/perfbpf/LICENSE
endef

install: all
	$(call install_files,$(BUILD)/perfbpf,$(DESTDIR)$(PREFIX))

# The same bytes from the same commit, whenever and by whomever it is made.
static-dist: static
	rm -rf $(BUILD)/static/$(STATIC_NAME)
	$(call install_files,$(BUILD)/static/perfbpf,$(abspath $(BUILD)/static/$(STATIC_NAME)))
	strip --strip-debug $(BUILD)/static/$(STATIC_NAME)/bin/perfbpf
	tar -C $(BUILD)/static --sort=name --owner=0 --group=0 --numeric-owner \
		--mtime=@$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || echo 0)} \
		-cf - $(STATIC_NAME) | gzip -9n >$(BUILD)/$(STATIC_NAME).tar.gz
	@echo $(BUILD)/$(STATIC_NAME).tar.gz

FORMATTED = $(shell git ls-files '*.c' '*.h' | grep -v '^vmlinux/')
fmt:
	clang-format -i $(FORMATTED)
fmt-check:
	clang-format --dry-run -Werror $(FORMATTED)

# What the documents say of tables in the source is made from them; test_docs holds both together.
docs: $(BUILD)/unit/test_docs
	$< exit-codes > docs/exit-codes.md
	$< run-json > $(BUILD)/run-json.table
	awk -v table=$(BUILD)/run-json.table '/^\| path / { while ((getline line < table) > 0) print line } \
		!/^\|/' docs/run-json.md > $(BUILD)/run-json.md
	mv $(BUILD)/run-json.md docs/run-json.md
	$< schema > docs/run.schema.json
	awk -v program=$< '/^\|/ && made { next } { made = 0; print; fflush() } \
		/^<!-- formats -->/ { made = system(program " formats") == 0 }' docs/formats.md > $(BUILD)/formats.md
	mv $(BUILD)/formats.md docs/formats.md
	awk -v program=$< '/^\|/ && made { next } { made = 0; print; fflush() } \
		/^<!-- keys / { made = system(program " keys " $$3) == 0 }' docs/scenarios.md > $(BUILD)/scenarios.md
	mv $(BUILD)/scenarios.md docs/scenarios.md

clean:
	rm -rf $(BUILD)

-include $(OBJS:.o=.d) $(STATIC_OWN:%=$(BUILD)/static/obj/%.d)
