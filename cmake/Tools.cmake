# Developer targets, if clang tools are installed: `tidy` runs clang-tidy over every source, `format` clang-format.
# On Debian 12: apt-get install clang-tidy clang-format
find_program(CLANG_TIDY NAMES clang-tidy clang-tidy-14)
find_program(CLANG_FORMAT NAMES clang-format clang-format-14)
file(GLOB_RECURSE tidy_sources CONFIGURE_DEPENDS src/*.cc apps/*.cc)
if(GLIMPSE_BUILD_TESTS)
  file(GLOB_RECURSE tidy_test_sources CONFIGURE_DEPENDS tests/*.cc)
  list(APPEND tidy_sources ${tidy_test_sources})
  list(FILTER tidy_sources EXCLUDE REGEX /tests/install/)
endif()
list(FILTER tidy_sources EXCLUDE REGEX "/dnn/runtime/threads_(omp|tbb)\\.cc$")
list(APPEND tidy_sources ${PROJECT_SOURCE_DIR}/src/dnn/runtime/threads_${GLIMPSE_DNNL_RUNTIME}.cc)

if(CLANG_TIDY)
  # One file a run, as many at a time as there are processors.
  list(JOIN tidy_sources "\n" tidy_list)
  file(WRITE ${PROJECT_BINARY_DIR}/tidy_sources.txt "${tidy_list}\n")
  include(ProcessorCount)
  ProcessorCount(processors)
  add_custom_target(tidy
    COMMAND xargs -a ${PROJECT_BINARY_DIR}/tidy_sources.txt -n 1 -P ${processors} ${CLANG_TIDY} --quiet -p ${PROJECT_BINARY_DIR}
    COMMENT "clang-tidy over all sources" USES_TERMINAL VERBATIM)
endif()
if(CLANG_FORMAT)
  file(GLOB_RECURSE formatted CONFIGURE_DEPENDS src/*.h src/*.cc apps/*.h apps/*.cc tests/*.h tests/*.cc)
  add_custom_target(format COMMAND ${CLANG_FORMAT} -i ${formatted} COMMENT "clang-format over all sources" VERBATIM)
endif()
