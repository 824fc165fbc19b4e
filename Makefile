# Vigie.  One Makefile, non-recursive; it sees every file.
#   make [BUILD=release|debug|san] [CC=clang]    programs in build/$(BUILD)/bin
#   make test | check | bench | fuzz | sim | sim-mutants | faults | check-arrows | check-pure | format | install DESTDIR= PREFIX=
BUILD  ?= release
ifeq ($(BUILD),fuzz)
CC := clang
endif
O      := build/$(BUILD)$(if $(filter clang%,$(CC)),-clang)
PREFIX ?= /usr/local

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wformat=2 \
	-Wno-unused-parameter $(if $(CI),-Werror)
HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection=full -fno-delete-null-pointer-checks -fno-strict-overflow -fPIE \
	$(if $(filter clang%,$(CC)),,-ftrivial-auto-var-init=zero)
MODE_release := -O2 -g $(HARDEN)
MODE_debug   := -O0 -g3
MODE_san     := -O1 -g3 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
MODE_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK_release := -pie -Wl,-z,relro,-z,now,-z,noexecstack
LINK_san     := -fsanitize=address,undefined
LINK_fuzz    := -fsanitize=fuzzer
ifeq ($(filter $(BUILD),release debug san fuzz),)
$(error BUILD is '$(BUILD)': one of release, debug, san, fuzz)
endif

# What each part links.  libvigie-handset and the libraries below it ask for libcrypto alone.
PKGS := libcrypto libssl libuv libwebsockets hiredis geos proj libgps jansson inih libevdev zlib
OURS := -std=c11 -D_GNU_SOURCE -I. -MMD -MP $(WARN) $(MODE_$(BUILD)) $(shell pkg-config --cflags $(PKGS))
LIBS := $(shell pkg-config --libs $(PKGS)) -lpthread -lm
CURL := $(shell pkg-config --libs libcurl) # the dispatcher alone
QR   := $(shell pkg-config --libs libqrencode) # the handset alone
DOOR := $(shell pkg-config --libs libcrypto zlib inih libuv libpcsclite) # all that the door links

# ---- libraries: every .c of the folder.  Programs: a main.c, and the rest of the folder as an archive that tests link too.
lib_base       := $(wildcard base/*.c)
lib_wire       := $(wildcard wire/*.c)
lib_geo        := $(wildcard geo/*.c)
lib_vigie-handset := $(wildcard device/handset/*.c)
lib_host       := $(filter-out %/main.c,$(wildcard device/handset/host/*.c))
lib_door       := $(filter-out %/main.c,$(wildcard device/door/*.c))
lib_dispatcher := $(filter-out %/main.c,$(wildcard dispatcher/*.c))
lib_console    := $(filter-out %/main.c,$(wildcard console/*.c))
lib_keeper     := $(filter-out %/main.c,$(wildcard console/keeper/*.c))
lib_ops        := $(filter-out %/main.c,$(wildcard ops/vigie/*.c))
ARCHIVES := base wire geo vigie-handset host door dispatcher console keeper ops
LOW := $(foreach a,geo wire base,$O/lib$a.a)

PROGRAMS := $(foreach p,vigie-dispatcher vigie-console vigie-keeper vigie-handset vigie-door vigie,$O/bin/$p)

all: $(PROGRAMS)

define archive
$O/lib$(1).a: $(patsubst %.c,$O/%.o,$(lib_$(1)))
	@rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach a,$(ARCHIVES),$(eval $(call archive,$a)))

$O/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(OURS) $(CFLAGS) -c -o $@ $<

# the dispatcher's Lua scripts, each line a C string
$O/%.lua.h: %.lua
	@mkdir -p $(@D)
	@sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@
$O/dispatcher/script.o: $(patsubst %,$O/%.h,$(wildcard dispatcher/*.lua))
$O/dispatcher/script.o: OURS += -I$O

LINK = @mkdir -p $(@D); $(CC) $(MODE_$(BUILD)) $(CFLAGS) $(LINK_$(BUILD)) $(LDFLAGS) -o $@ $(filter %.o %.a,$^)

$O/bin/vigie-dispatcher: $O/dispatcher/main.o $O/libdispatcher.a $(LOW)
	$(LINK) $(LIBS) $(CURL)
$O/bin/vigie-console: $O/console/main.o $O/libconsole.a $(LOW)
	$(LINK) $(LIBS)
$O/bin/vigie-keeper: $O/console/keeper/main.o $O/libkeeper.a $(LOW)
	$(LINK) $(LIBS) $(shell pkg-config --libs libseccomp)
$O/bin/vigie-handset: $O/device/handset/host/main.o $O/libhost.a $O/libvigie-handset.a $(LOW)
	$(LINK) $(LIBS) $(QR)
$O/bin/vigie-door: $O/device/door/main.o $O/libdoor.a $O/libwire.a $O/libbase.a
	$(LINK) $(DOOR)
$O/device/door/pcsc.o: OURS += $(shell pkg-config --cflags libpcsclite)
$O/bin/vigie: $O/ops/vigie/main.o $O/libops.a $(LOW)
	$(LINK) $(LIBS)

# where the two programs that serve pages find them: other objects when PREFIX is another
WITH_PREFIX := $O/console/config.o $O/device/handset/host/config.o
$(shell mkdir -p $O; echo '$(PREFIX)' | cmp -s - $O/prefix || echo '$(PREFIX)' > $O/prefix)
$(WITH_PREFIX): OURS += -DVIGIE_SHARE='"$(PREFIX)/share/vigie"'
$(WITH_PREFIX): $O/prefix

# libvigie-handset as it is installed: two objects, each with what it needs of wire/ and base/ inside and no name but vigie_* to the
# outside.  A host with a key store of its own does not link the second, and so no libcrypto.
PARTIAL = @mkdir -p $(@D); $(CC) -r -nostdlib -o $@.all $(filter %.o %.a,$^) && objcopy -w --keep-global-symbol='vigie_*' $@.all $@ && \
	rm $@.all
lib_core := $(filter-out %/crypto.c,$(lib_vigie-handset))
$O/install/vigie-core.o: $(patsubst %.c,$O/%.o,$(lib_core)) $O/libwire.a $O/libbase.a
	$(PARTIAL)
$O/install/vigie-crypto.o: $O/device/handset/crypto.o $O/libwire.a $O/libbase.a
	$(PARTIAL)
$O/install/libvigie-handset.a: $O/install/vigie-core.o $O/install/vigie-crypto.o
	@rm -f $@ && ar rcs $@ $^

# ---- tests mirror the source: tests/geo/zone_test.c -> build/.../tests/geo/zone_test, linked with its part and the libraries
TEST_SRC := $(wildcard tests/base/*_test.c tests/wire/*_test.c tests/geo/*_test.c tests/device/handset/*_test.c \
	tests/device/handset/host/*_test.c tests/device/door/*_test.c tests/dispatcher/*_test.c tests/console/*_test.c \
	tests/console/keeper/*_test.c \
	tests/ops/*_test.c tests/sim/*_test.c)
TESTS := $(patsubst %.c,$O/%,$(TEST_SRC))
TEST_LIBS := $(shell pkg-config --libs cmocka libcbor 2>/dev/null)

$O/tests/base/%_test: $O/tests/base/%_test.o $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/wire/%_test: $O/tests/wire/%_test.o $O/libwire.a $O/libbase.a
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/geo/%_test: $O/tests/geo/%_test.o $O/tests/geo/oracle.o $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/device/handset/host/%_test: $O/tests/device/handset/host/%_test.o $O/libhost.a $O/libvigie-handset.a $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS) $(QR)
$O/tests/device/door/virtual_phone: $O/tests/device/door/virtual_phone.o $O/libvigie-handset.a $O/libwire.a $O/libbase.a
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/device/door/%_test: $O/tests/device/door/%_test.o $O/libdoor.a $O/libvigie-handset.a $O/libwire.a $O/libbase.a
	$(LINK) $(TEST_LIBS) $(LIBS) $(DOOR)
$O/tests/device/handset/%_test: $O/tests/device/handset/%_test.o $O/libvigie-handset.a $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/dispatcher/%_test: $O/tests/dispatcher/%_test.o \
		$(patsubst %.c,$O/%.o,$(wildcard tests/dispatcher/support/*.c)) $O/libdispatcher.a $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS) $(CURL)
$O/tests/console/%_test: $O/tests/console/%_test.o $O/libconsole.a $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/console/keeper/%_test: $O/tests/console/keeper/%_test.o $O/libkeeper.a $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/ops/%_test: $O/tests/ops/%_test.o $O/libops.a $(LOW) | $(PROGRAMS)
	$(LINK) $(TEST_LIBS) $(LIBS)

# a region's people, alerts and notices written into a private Redis, for the browser test
$O/tests/console/seed: $O/tests/console/seed.o $(LOW)
	$(LINK) $(LIBS)

# a round, a phone's codes and the region's lists, for the browser test of the caretaker's page
$O/tests/console/scene: $O/tests/console/scene.o $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)

# orders for a phone, signed with a test region's own keys, for the browser test of its doors
$O/tests/device/handset/host/desk: $O/tests/device/handset/host/desk.o $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)

# spoiled passes and what is to be said of them, for the verifier of the caretaker's page
$O/tests/wire/pass_cases: $O/tests/wire/pass_cases.o $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)

# measurements: tests/bench/choose_bench.c -> build/.../tests/bench/choose_bench
$O/tests/bench/door_bench: $O/tests/bench/door_bench.o $O/libdoor.a $O/libvigie-handset.a $O/libwire.a $O/libbase.a
	$(LINK) $(TEST_LIBS) $(LIBS) $(shell pkg-config --libs libqrencode)
$O/tests/bench/duress_bench: $O/tests/bench/duress_bench.o $O/libhost.a $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/bench/%_bench: $O/tests/bench/%_bench.o $O/tests/geo/oracle.o $(LOW)
	$(LINK) $(LIBS)

# the simulator: the cores of the daemons, with everything around them made up
SIM_DISPATCHER := $(sort $(shell grep -l 'dispatcher/core_[sp]' dispatcher/*.c) $(wildcard dispatcher/alert*.c) \
	$(addprefix dispatcher/,table.c limit.c directory.c fact.c ladder.c intake.c sms.c))
SIM_SRC := $(filter-out %/main.c %_test.c,$(wildcard tests/sim/*.c)) tests/geo/oracle.c \
	$(filter-out %/apdu.c,$(lib_core)) $(SIM_DISPATCHER) \
	$(lib_geo) base/entry.c base/hex.c base/utf8.c base/wheel.c $(addprefix wire/,alert.c cbor.c cbor_head.c cbor_write.c command.c \
	cose.c desk.c feed.c fields.c frame.c id.c iso7816.c order.c people.c receipt.c record.c trust.c)
SIM_OBJ := $(SIM_SRC:%.c=$O/%.o)
$O/bin/vigie-sim: $O/tests/sim/main.o $(SIM_OBJ)
	$(LINK) $(LIBS)
$O/tests/sim/%_test: $O/tests/sim/%_test.o $(SIM_OBJ)
	$(LINK) $(TEST_LIBS) $(LIBS)

# sim: SEEDS seeds from SEED_FROM on, or as many as ALERTS alerts take, by JOBS processes; what fails is drawn.  FAST=1: by a build of its own,
# worth its minute for a million alerts
SEEDS     ?= 1000
SEED_FROM ?=
JOBS      ?= $(shell nproc)
sim: $(if $(FAST),$O/fast/bin/vigie-sim,$O/bin/vigie-sim)
	@$< --jobs $(JOBS) $(if $(ALERTS),--alerts $(ALERTS),--seeds $(SEEDS)) $(if $(SEED_FROM),--from $(SEED_FROM))
$O/fast/bin/vigie-sim: $O/bin/vigie-sim
	@tests/sim/faster $O/fast $<
# sim-mutants: bugs planted one at a time into a copy of the cores; says which are caught, and in how many seeds
sim-mutants:
	@CC='$(CC)' tests/sim/mutants/run $(SEEDS)

tests: $(TESTS) $O/tests/device/handset/host/desk $O/tests/console/seed $O/tests/console/scene $O/tests/wire/pass_cases $O/tests/device/door/virtual_phone

# a fleet of made-up handsets, for the demo and the bench
fleet: $O/bin/vigie-fleet
$O/bin/vigie-fleet: $(patsubst %.c,$O/%.o,$(wildcard tests/fleet/*.c)) $O/libops.a $O/libvigie-handset.a $(LOW)
	$(LINK) $(LIBS)

# faults: KILLS kills by the seed SEED, with STORE=replicated or single alone, of KINDS only where that is given; ARGS goes to tests/faults/run.  disk.so: a disk with faults
KILLS ?= 1000
SEED  ?= 1
$O/tests/faults/disk.so: tests/faults/disk.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -O2 -g $(WARN) -shared -fPIC -o $@ $< -ldl
faults: all web fleet $O/tests/faults/disk.so
	@VIGIE_BIN='$(abspath $O/bin)' tests/faults/run --kills $(KILLS) --seed $(SEED) $(if $(STORE),--store $(STORE)) $(if $(KINDS),--kinds $(KINDS)) \
		$(ARGS)

# ---- the console's pages, as they are served: our own files and Leaflet, which npm fetches as package-lock.json pins it
WEB_SRC := $(shell find console/web -type f 2>/dev/null)
LEAFLET := $(addprefix build/web/leaflet/,leaflet.js leaflet.css LICENSE.txt)

# the caretaker's page is a folder that any web server can host: what it shares with the console's pages is copied into it
CARETAKER := $(addprefix build/web/caretaker/,dom.js words.js icon.svg zxing/reader/index.js zxing/share.js zxing/zxing_reader.wasm zxing/LICENSE.txt)
WEB := $(patsubst console/web/%,build/web/%,$(WEB_SRC)) $(LEAFLET) $(CARETAKER)

web: $(WEB)
	@rm -f $(filter-out $(WEB),$(shell find build/web -type f)) && find build/web -type d -empty -delete

build/web/%: console/web/%
	@mkdir -p $(@D) && cp $< $@
build/web/leaflet/LICENSE.txt: node_modules/.package-lock.json
	@mkdir -p $(@D) && cp node_modules/leaflet/LICENSE $@
build/web/leaflet/%: node_modules/.package-lock.json
	@mkdir -p $(@D) && cp node_modules/leaflet/dist/$* $@
$(addprefix build/web/caretaker/,dom.js words.js icon.svg): build/web/caretaker/%: console/web/%
	@mkdir -p $(@D) && cp $< $@
build/web/caretaker/zxing/LICENSE.txt: node_modules/.package-lock.json
	@mkdir -p $(@D) && cp node_modules/zxing-wasm/LICENSE $@
build/web/caretaker/zxing/%.wasm: node_modules/.package-lock.json
	@mkdir -p $(@D) && cp node_modules/zxing-wasm/dist/reader/$*.wasm $@
build/web/caretaker/zxing/%.js: node_modules/.package-lock.json
	@mkdir -p $(@D) && cp node_modules/zxing-wasm/dist/es/$*.js $@
node_modules/.package-lock.json: package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# bench: what the README quotes; shared machines are noisy
bench: all web fleet $(patsubst %.c,$O/%,$(wildcard tests/bench/*_bench.c))
	@for b in $(patsubst %.c,$O/%,$(wildcard tests/bench/*_bench.c)); do $$b || exit 1; done
	@tests/bench/run

# check: every unit test of this BUILD and CC, one after the other; says which failed
check: all tests
	@ops/run-tests $(TESTS)

# fuzz: each target for SECONDS from its seeds in tests/fuzz/corpus/NAME; clang's libFuzzer with ASan and UBSan, a build of its own
SECONDS ?= 60
FUZZ := $(patsubst %.c,$O/%,$(wildcard tests/fuzz/*_fuzz.c))
$O/tests/fuzz/handset_fuzz: $O/tests/fuzz/handset_fuzz.o $O/libvigie-handset.a $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/fuzz/dispatcher_fuzz: $O/tests/fuzz/dispatcher_fuzz.o $(patsubst %.c,$O/%.o,$(wildcard tests/dispatcher/support/chaos*.c)) \
		$(patsubst %.c,$O/%.o,$(wildcard tests/dispatcher/support/model*.c)) $O/libdispatcher.a $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS) $(CURL)
$O/tests/fuzz/sms_fuzz: $O/tests/fuzz/sms_fuzz.o $O/libdispatcher.a $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS) $(CURL)
$O/tests/fuzz/modem_fuzz: $O/tests/fuzz/modem_fuzz.o $O/libhost.a $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/fuzz/console_fuzz: $O/tests/fuzz/console_fuzz.o $O/libconsole.a $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/fuzz/door_fuzz: $O/tests/fuzz/door_fuzz.o $O/libdoor.a $O/libvigie-handset.a $O/libwire.a $O/libbase.a
	$(LINK) $(TEST_LIBS) $(LIBS)
$O/tests/fuzz/%_fuzz: $O/tests/fuzz/%_fuzz.o $(LOW)
	$(LINK) $(TEST_LIBS) $(LIBS)
ifeq ($(BUILD),fuzz)
fuzz: $(FUZZ)
	@ops/fuzz $(SECONDS) $(FUZZ)
else
fuzz:
	@$(MAKE) --no-print-directory BUILD=fuzz SECONDS=$(SECONDS) fuzz
endif

test:
	@ops/test

# arrows one way: no library includes a program, no program another
check-arrows:
	@ops/check-arrows

# cores decide without I/O: what their objects ask for
check-pure: $O/libvigie-handset.a $O/libdispatcher.a $(LOW)
	@ops/check-pure $O

# install, uninstall: under $(DESTDIR)$(PREFIX); ops/place has the list.  check-install: into a folder of its own, and use it from there
install: all web $O/install/libvigie-handset.a
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' ops/place install $O
uninstall:
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' ops/place uninstall $O
check-install:
	@MAKE='$(MAKE)' CC='$(CC)' BUILD=$(BUILD) tests/ops/install_test

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build

.PHONY: all bench faults fleet sim sim-mutants web tests check fuzz test check-arrows check-pure format clean
.SECONDARY:
-include $(shell find $O -name '*.d' 2>/dev/null)
