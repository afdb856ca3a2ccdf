# Builds the files of a folder into a library: one assembler file with an .incbin per file, and an index that
# base::embedded_files() reads. Editing a file rebuilds; adding one reconfigures.
function(egret_embed target)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}
       ${CMAKE_CURRENT_SOURCE_DIR}/*.yaml ${CMAKE_CURRENT_SOURCE_DIR}/*.kql ${CMAKE_CURRENT_SOURCE_DIR}/*.tsv
       ${CMAKE_CURRENT_SOURCE_DIR}/*.html ${CMAKE_CURRENT_SOURCE_DIR}/*.css)
  list(SORT files)
  set(asm ".section .rodata\n")
  set(table "")
  set(n 0)
  set(paths "")
  foreach(f ${files})
    string(APPEND asm "content_${n}:\n.incbin \"${CMAKE_CURRENT_SOURCE_DIR}/${f}\"\ncontent_${n}_end:\n.byte 0\nname_${n}: .asciz \"${f}\"\n")
    string(APPEND table ".quad name_${n}\n.quad content_${n}\n.quad content_${n}_end\n")
    list(APPEND paths ${CMAKE_CURRENT_SOURCE_DIR}/${f})
    math(EXPR n "${n}+1")
  endforeach()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded.S)
  file(CONFIGURE OUTPUT ${out} CONTENT "${asm}.section .data.rel.ro,\"aw\"\n.balign 8\n.globl egret_embedded_index\negret_embedded_index:\n${table}.quad 0\n.quad 0\n.quad 0\n.section .note.GNU-stack,\"\",%progbits\n" @ONLY)
  add_library(${target} STATIC ${out})
  set_source_files_properties(${out} PROPERTIES OBJECT_DEPENDS "${paths}" LANGUAGE ASM)
endfunction()
