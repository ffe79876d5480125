# Writes the SQL files of migrations/ into one C++ source, so that the executable carries its own schema.
file(GLOB migrations CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/migrations/*.sql)
list(SORT migrations)
set(rows "")
foreach(path ${migrations})
  get_filename_component(stem ${path} NAME_WE)
  string(REGEX MATCH "^[0-9][0-9][0-9][0-9]" number ${stem})
  string(REGEX REPLACE "^0+" "" number ${number})
  file(READ ${path} sql)
  string(APPEND rows "    {${number}, \"${stem}\", R\"sql(${sql})sql\"},\n")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
endforeach()
set(SLUICE_MIGRATIONS_SOURCE ${CMAKE_BINARY_DIR}/gen/control-plane/store/embedded_migrations.cc)
file(GENERATE OUTPUT ${SLUICE_MIGRATIONS_SOURCE} CONTENT "#include \"control-plane/store/migrations.h\"

namespace sluice::store {

std::vector<Migration> EmbeddedMigrations() {
  return {
${rows}  };
}

}  // namespace sluice::store
")
