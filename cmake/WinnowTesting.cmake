# How a C++ unit test is declared. Tests in MLIR text need no declaration: lit finds them under test/.

find_package(GTest REQUIRED)

# Everything that the suite runs; check-winnow builds it first.
add_custom_target(winnow-test-depends)
add_custom_target(winnow-unit-tests)
add_dependencies(winnow-test-depends winnow-unit-tests)

# winnow_add_unittest(NAME sources… [LINK libraries…]): the executable NAMETests beside the caller in the build tree, where lit
# finds it by its suffix. One per library, declared in test/Unit/NAME/CMakeLists.txt.
function(winnow_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  set(target ${name}Tests)
  add_executable(${target} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${target} PRIVATE winnow_settings ${ARG_LINK} GTest::gtest GTest::gtest_main)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
  add_dependencies(winnow-unit-tests ${target})
endfunction()
