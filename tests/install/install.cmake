# cmake -DBUILD_DIR=... -P install.cmake: see CMakeLists.txt beside it.
cmake_minimum_required(VERSION 3.25)
set(prefix ${SCRATCH_DIR}/prefix)
file(REMOVE_RECURSE ${SCRATCH_DIR})
file(MAKE_DIRECTORY ${SCRATCH_DIR})

execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD_DIR} --config ${CONFIG} --prefix ${prefix} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
foreach(file bin/glimpse include/glimpse/pipeline/captioner.h share/doc/glimpse/LICENSE ${MODEL})
  if(NOT EXISTS ${prefix}/${file})
    message(FATAL_ERROR "not installed: ${file}")
  endif()
endforeach()
file(GLOB_RECURSE leaked ${prefix}/include/*dnnl* ${prefix}/include/*engine.h)
if(leaked)
  message(FATAL_ERROR "private headers are installed: ${leaked}")
endif()

# A picture of 8 × 8 pixels, all of the colour ('0', 'z', '0').
string(REPEAT "0z0" 64 pixels)
file(WRITE ${SCRATCH_DIR}/green.ppm "P6\n8 8\n255\n${pixels}")

# The installed binary finds its libraries and its model by itself.
set(ENV{GLIMPSE_MODEL} "")
set(ENV{GLIMPSE_CACHE} "")
execute_process(COMMAND ${prefix}/bin/glimpse caption ${SCRATCH_DIR}/green.ppm OUTPUT_VARIABLE from_binary COMMAND_ERROR_IS_FATAL ANY)

execute_process(COMMAND ${CMAKE_COMMAND} -S ${CONSUMER_DIR} -B ${SCRATCH_DIR}/build -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${prefix}
                        -DCMAKE_CXX_COMPILER=${CXX_COMPILER} -DCMAKE_BUILD_TYPE=Release
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${SCRATCH_DIR}/build OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${SCRATCH_DIR}/build/consumer ${SCRATCH_DIR}/green.ppm OUTPUT_VARIABLE from_consumer COMMAND_ERROR_IS_FATAL ANY)

if(NOT from_binary STREQUAL "${SCRATCH_DIR}/green.ppm\t${from_consumer}")
  message(FATAL_ERROR "the installed binary says\n${from_binary}a program that links the installed library says\n${from_consumer}")
endif()
file(REMOVE_RECURSE ${SCRATCH_DIR})
