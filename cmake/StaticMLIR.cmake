# Debian's exported MLIR archives all list the shared LLVM. Everything here links statically, so that every binary needs
# only libc and libm and starts in a few milliseconds; this undoes the exported shared dependencies.

foreach(target IN LISTS MLIR_EXPORTED_TARGETS)
  if(NOT TARGET ${target})
    continue()
  endif()
  get_target_property(libs ${target} INTERFACE_LINK_LIBRARIES)
  if(libs)
    list(REMOVE_ITEM libs LLVM MLIR "$<LINK_ONLY:LLVM>" "$<LINK_ONLY:MLIR>")
    set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES "${libs}")
  endif()
endforeach()

foreach(target MLIRSupport MLIRIR)
  set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES
    LLVMSupport LLVMCore LLVMRemarks LLVMBitstreamReader LLVMBinaryFormat LLVMTargetParser LLVMDemangle)
endforeach()
if(TARGET MLIRLspServerSupportLib)
  set_property(TARGET MLIRLspServerSupportLib APPEND PROPERTY INTERFACE_LINK_LIBRARIES LLVMSupportLSP)
endif()

find_library(WINNOW_ZSTD_STATIC NAMES libzstd.a REQUIRED)
find_library(WINNOW_ZLIB_STATIC NAMES libz.a REQUIRED)
get_target_property(libs LLVMSupport INTERFACE_LINK_LIBRARIES)
list(FILTER libs EXCLUDE REGEX "libz3")
list(TRANSFORM libs REPLACE "^ZLIB::ZLIB$" "${WINNOW_ZLIB_STATIC}")
list(TRANSFORM libs REPLACE "^zstd::libzstd_shared$" "${WINNOW_ZSTD_STATIC}")
set_target_properties(LLVMSupport PROPERTIES INTERFACE_LINK_LIBRARIES "${libs}")
