# Compile settings shared by every Winnow target, and the two ways a target is declared.

add_library(winnow_settings INTERFACE)
target_include_directories(winnow_settings INTERFACE
  "${PROJECT_SOURCE_DIR}/include" "${PROJECT_BINARY_DIR}/include")
target_include_directories(winnow_settings SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_compile_options(winnow_settings INTERFACE
  -ffunction-sections -fdata-sections -fvisibility-inlines-hidden -Wall -Wextra -Wno-unused-parameter
  $<$<BOOL:${WINNOW_ENABLE_WERROR}>:-Werror>)
# Winnow's own asserts stay on: they cost nothing measurable in a compiler and LLVM here is built without its own.
target_compile_options(winnow_settings INTERFACE -UNDEBUG)
target_link_options(winnow_settings INTERFACE -Wl,--gc-sections)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(winnow_settings INTERFACE -Wno-unused-command-line-argument)
  target_link_options(winnow_settings INTERFACE -fuse-ld=lld)
else()
  target_link_options(winnow_settings INTERFACE -B/usr/lib/llvm-22/bin -fuse-ld=lld)
  target_compile_options(winnow_settings INTERFACE -Wno-dangling-reference -Wno-maybe-uninitialized)
endif()
if(WINNOW_SANITIZE)
  target_compile_options(winnow_settings INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer)
  target_link_options(winnow_settings INTERFACE -fsanitize=address,undefined)
endif()

# One precompiled header for every library that includes MLIR.
add_library(winnow_mlir_pch OBJECT "${PROJECT_SOURCE_DIR}/cmake/pch.cpp")
target_link_libraries(winnow_mlir_pch PRIVATE winnow_settings)
target_precompile_headers(winnow_mlir_pch PRIVATE "${PROJECT_SOURCE_DIR}/cmake/pch.h")
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(winnow_mlir_pch PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
endif()

function(winnow_use_mlir_pch target)
  target_precompile_headers(${target} REUSE_FROM winnow_mlir_pch)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endfunction()

# winnow_add_mlir_library(NAME sources… [DEPENDS tablegen-targets…] [LINK libraries…]): a static library that includes MLIR.
function(winnow_add_mlir_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC winnow_settings ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  winnow_use_mlir_pch(${name})
endfunction()

# winnow_add_library(NAME sources… [LINK libraries…]): a static library that knows nothing of MLIR or LLVM.
function(winnow_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC winnow_settings ${ARG_LINK})
endfunction()

# winnow_add_tool(NAME sources… [LINK libraries…]): an executable in build/bin.
function(winnow_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE winnow_settings ${ARG_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc)
endfunction()
