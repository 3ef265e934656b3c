# Writes OUTPUT, a C++ source that defines `const std::vector<EmbeddedText>& FUNCTION()` with the name and text of each of FILES.
set(source "#include \"results/embedded_text.h\"\n\nnamespace tagbench {\n\nconst std::vector<EmbeddedText>& ${FUNCTION}() {\n")
string(APPEND source "  static const std::vector<EmbeddedText> files = {\n")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  # As numbers: a list of CMake would take brackets and semicolons of the text for its own.
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" escaped "${hex}")
  # Pieces, because compilers bound the length of a literal.
  string(REGEX REPLACE "(................................................................................................................................)" "\"\\1\"\n" escaped "${escaped}")
  string(REGEX REPLACE "\n([^\"\n]+)$" "\n\"\\1\"" escaped "${escaped}")
  string(APPEND source "      {\"${name}\", std::string_view(\n${escaped})},\n")
endforeach()
string(APPEND source "  };\n  return files;\n}\n\n}  // namespace tagbench\n")
file(WRITE ${OUTPUT} "${source}")
