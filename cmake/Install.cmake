# cmake --install: the binary, the library with its public headers and a CMake package, and the models, where GNUInstallDirs says such things belong.
option(GLIMPSE_INSTALL "Make install rules" ${PROJECT_IS_TOP_LEVEL})
if(NOT GLIMPSE_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)

if(BUILD_SHARED_LIBS)
  file(RELATIVE_PATH lib_from_bin "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}")
  set_target_properties(glimpse-cli PROPERTIES INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
endif()

install(TARGETS glimpse-cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS glimpse EXPORT glimpseTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/glimpse)

set(glimpse_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/glimpse)
set(glimpse_models_dir ${CMAKE_INSTALL_DATADIR}/glimpse/models)
install(EXPORT glimpseTargets NAMESPACE glimpse:: DESTINATION ${glimpse_package_dir})
configure_package_config_file(cmake/glimpseConfig.cmake.in ${PROJECT_BINARY_DIR}/glimpseConfig.cmake
                              INSTALL_DESTINATION ${glimpse_package_dir} PATH_VARS glimpse_models_dir)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/glimpseConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/glimpseConfig.cmake ${PROJECT_BINARY_DIR}/glimpseConfigVersion.cmake cmake/OpenCV.cmake
        DESTINATION ${glimpse_package_dir})

install(DIRECTORY models/ DESTINATION ${glimpse_models_dir}
        FILES_MATCHING PATTERN "*.safetensors" PATTERN "*.graph" PATTERN "*.md" PATTERN "*.conf" PATTERN checkpoints EXCLUDE)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
