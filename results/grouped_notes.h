#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tagbench {

// One note for whatever befell many cells: what, the first of them, and how many more.
class GroupedNotes {
 public:
  void add(const std::string& what, const std::string& where) {
    for (Note& note : notes_) {
      if (note.what != what) continue;
      ++note.n_more;
      return;
    }
    notes_.push_back({what, where, 0});
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    for (const Note& note : notes_) {
      texts.push_back(note.what + ": " + note.first +
                      (note.n_more > 0 ? " (and " + std::to_string(note.n_more) + " more)" : ""));
    }
    return texts;
  }

 private:
  struct Note {
    std::string what;
    std::string first;
    size_t n_more;
  };
  std::vector<Note> notes_;
};

}  // namespace tagbench
