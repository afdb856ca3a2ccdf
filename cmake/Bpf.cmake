# Kernel programs: bpf/NAME.bpf.c becomes NAME.bpf.o (one object for every architecture: accesses are relocated when it is loaded) and
# NAME.skel.h, which carries the object's bytes. egret_bpf(TARGET NAME) lets TARGET include "NAME.skel.h".
find_program(BPF_CLANG NAMES clang-19 REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)
find_program(BPF_STRIP NAMES llvm-strip-19 PATHS /usr/lib/llvm-19/bin)
# asm/types.h of the machine that builds: the programs take nothing from it that differs between architectures.
execute_process(COMMAND ${BPF_CLANG} -print-multiarch OUTPUT_VARIABLE bpf_multiarch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT bpf_multiarch)
  execute_process(COMMAND gcc -dumpmachine OUTPUT_VARIABLE bpf_multiarch OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()

function(egret_bpf target name)
  set(out ${CMAKE_BINARY_DIR}/bpf)
  set(object ${out}/${name}.bpf.o)
  set(strip true)
  if(BPF_STRIP)
    set(strip ${BPF_STRIP} -g)
  endif()
  file(MAKE_DIRECTORY ${out})
  add_custom_command(
    OUTPUT ${out}/${name}.skel.h ${object}
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Werror -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -I${CMAKE_SOURCE_DIR}/bpf
            -I${CMAKE_SOURCE_DIR}/src -I/usr/include/${bpf_multiarch} -MD -MF ${object}.d -MT ${out}/${name}.skel.h
            -c ${CMAKE_SOURCE_DIR}/bpf/${name}.bpf.c -o ${object}
    COMMAND ${strip} ${object}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${out}/${name}.skel.h
    DEPENDS ${CMAKE_SOURCE_DIR}/bpf/${name}.bpf.c ${CMAKE_SOURCE_DIR}/bpf/kernel.h
    DEPFILE ${object}.d
    COMMENT "kernel program ${name}"
    VERBATIM)
  add_custom_target(${target}_${name}_bpf DEPENDS ${out}/${name}.skel.h)
  add_dependencies(${target} ${target}_${name}_bpf)
  target_include_directories(${target} SYSTEM PRIVATE ${out})
endfunction()
