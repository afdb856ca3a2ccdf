#include "incident/cases.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/hash.h"
#include "investigate/answer_json.h"
#include "investigate/page.h"

namespace egret::incident {

namespace {

constexpr int kVersion = 1;
constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS incident(
  number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, title TEXT NOT NULL, severity TEXT NOT NULL, status INTEGER NOT NULL,
  classification TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', created INTEGER NOT NULL, modified INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS answer(
  number INTEGER NOT NULL REFERENCES incident(number), time INTEGER NOT NULL, json TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS answer_of ON answer(number);
CREATE TABLE IF NOT EXISTS log(
  number INTEGER NOT NULL REFERENCES incident(number), time INTEGER NOT NULL, author TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS log_of ON log(number);
)sql";

Error failed(sqlite3* db, const char* what) {
  const int code = sqlite3_errcode(db);
  return {ErrorKind::kUnavailable, fmt::format("{}: {}", what, sqlite3_errmsg(db)),
          code == SQLITE_BUSY ? "another egret is writing to this data folder; wait, or give --data another one" : ""};
}

// One prepared statement; values are bound in order of the calls.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) { ok_ = sqlite3_prepare_v2(db, sql, -1, &s_, nullptr) == SQLITE_OK; }
  ~Statement() { sqlite3_finalize(s_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& text(std::string_view v) {
    if (ok_) sqlite3_bind_text(s_, ++bound_, v.data(), static_cast<int>(v.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& number(int64_t v) {
    if (ok_) sqlite3_bind_int64(s_, ++bound_, v);
    return *this;
  }
  // True: a row is there. False: done. An error is an error.
  Result<bool> step() {
    if (!ok_) return std::unexpected(failed(db_, "the stored incidents cannot be read"));
    const int code = sqlite3_step(s_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return std::unexpected(failed(db_, "the stored incidents cannot be read or written"));
  }
  std::string text_at(int c) const {
    const auto* p = reinterpret_cast<const char*>(sqlite3_column_text(s_, c));
    return p ? std::string(p, static_cast<size_t>(sqlite3_column_bytes(s_, c))) : std::string();
  }
  int64_t number_at(int c) const { return sqlite3_column_int64(s_, c); }

 private:
  sqlite3* db_;
  sqlite3_stmt* s_ = nullptr;
  int bound_ = 0;
  bool ok_ = false;
};

investigate::Classification classification_of(std::string_view name) {
  using enum investigate::Classification;
  for (const auto c : {kTruePositive, kBenignPositive, kFalsePositive}) {
    if (name == investigate::classification_name(c)) return c;
  }
  return kUndetermined;
}

std::string title_of(const investigate::Answer& a) {
  std::string to = a.cause.names.empty() ? a.alert.address : a.cause.names.front().name + " (" + a.alert.address + ")";
  if (to.empty()) to = a.alert.name;
  return (a.alert.rule.empty() ? std::string("Contact") : a.alert.rule) + ": " + (a.owner() ? a.owner()->id() : "unknown") + " → " + to;
}

class SqliteCases final : public Cases {
 public:
  explicit SqliteCases(sqlite3* db) : db_(db) {}
  ~SqliteCases() override { sqlite3_close_v2(db_); }

  Result<void> run(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      return std::unexpected(failed(db_, "the stored incidents cannot be written"));
    return {};
  }

  // Runs the body in one transaction: all of it is kept, or nothing.
  template <class F>
  auto together(F body) -> decltype(body()) {
    TRY_VOID(run("BEGIN IMMEDIATE"));
    auto result = body();
    if (!result) {
      sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
      return result;
    }
    TRY_VOID(run("COMMIT"));
    return result;
  }

  Result<void> say(int64_t number, std::string_view kind, std::string_view text, std::string_view author, Ticks now) {
    Statement s(db_, "INSERT INTO log(number, time, author, kind, text) VALUES(?, ?, ?, ?, ?)");
    TRY([[maybe_unused]] const bool row, s.number(number).number(now).text(author).text(kind).text(text).step());
    return {};
  }

  Result<int64_t> keep(const investigate::Answer& a, std::string_view author, Ticks now) override {
    return together([&]() -> Result<int64_t> {
      const std::string key = sha256_hex(a.alert.id + "\n" + a.alert.address + "\n" + a.alert.name + "\n" + a.alert.cluster + "\n" +
                                         (a.alert.id.empty() ? std::to_string(a.alert.time) : ""));
      int64_t number = 0;
      int64_t status = 0;
      {
        Statement s(db_, "SELECT number, status FROM incident WHERE key = ?");
        TRY(const bool row, s.text(key).step());
        if (row) {
          number = s.number_at(0);
          status = s.number_at(1);
        }
      }
      const char* as = investigate::classification_name(a.verdict.classification);
      if (number == 0) {
        Statement s(db_,
                    "INSERT INTO incident(key, title, severity, status, classification, created, modified) VALUES(?, ?, ?, 0, ?, ?, ?)");
        TRY([[maybe_unused]] const bool row, s.text(key).text(title_of(a)).text(a.alert.severity).text(as).number(now).number(now).step());
        number = sqlite3_last_insert_rowid(db_);
        TRY_VOID(say(number, "opened", investigate::headline(a), author, now));
      } else {
        Statement s(db_, status == static_cast<int64_t>(Status::kClosed)
                             ? "UPDATE incident SET title = ?, modified = ? WHERE number = ?"
                             : "UPDATE incident SET title = ?, modified = ?, classification = ? WHERE number = ?");
        s.text(title_of(a)).number(now);
        if (status != static_cast<int64_t>(Status::kClosed)) s.text(as);
        TRY([[maybe_unused]] const bool row, s.number(number).step());
        TRY_VOID(say(number, "investigated", investigate::headline(a), author, now));
      }
      investigate::Answer named = a;
      investigate::name_incident(named, number);
      Statement s(db_, "INSERT INTO answer(number, time, json) VALUES(?, ?, ?)");
      TRY([[maybe_unused]] const bool row, s.number(number).number(now).text(investigate::answer_json(named, true, 0)).step());
      return number;
    });
  }

  static Case read(const Statement& s) {
    Case c;
    c.number = s.number_at(0);
    c.title = s.text_at(1);
    c.severity = s.text_at(2);
    c.status = static_cast<Status>(s.number_at(3));
    c.classification = classification_of(s.text_at(4));
    c.reason = s.text_at(5);
    c.created = s.number_at(6);
    c.modified = s.number_at(7);
    c.closed = s.number_at(8);
    return c;
  }

  Result<std::vector<Case>> list() override {
    std::vector<Case> out;
    Statement s(
        db_,
        "SELECT number, title, severity, status, classification, reason, created, modified, closed FROM incident ORDER BY number DESC");
    while (true) {
      TRY(const bool row, s.step());
      if (!row) return out;
      out.push_back(read(s));
    }
  }

  Result<int64_t> last() override {
    Statement s(db_, "SELECT number FROM incident ORDER BY modified DESC, number DESC LIMIT 1");
    TRY(const bool row, s.step());
    if (!row) return not_found("no incident is stored in this data folder", "egret investigate FOLDER makes one");
    return s.number_at(0);
  }

  Result<Case> get(int64_t number) override {
    Statement s(db_,
                "SELECT number, title, severity, status, classification, reason, created, modified, closed FROM incident WHERE number = ?");
    TRY(const bool row, s.number(number).step());
    if (!row) return not_found(fmt::format("there is no incident {}", number), "egret incident list shows those that are stored");
    Case c = read(s);
    Statement last(db_,
                   "SELECT json, (SELECT count(*) FROM answer WHERE number = ?) FROM answer WHERE number = ? ORDER BY rowid DESC LIMIT 1");
    TRY(const bool answer, last.number(number).number(number).step());
    if (answer) {
      TRY(c.answer, investigate::answer_from_json(last.text_at(0)));
      c.answers = last.number_at(1);
    }
    Statement log(db_, "SELECT time, author, kind, text FROM log WHERE number = ? ORDER BY rowid");
    log.number(number);
    while (true) {
      TRY(const bool more, log.step());
      if (!more) return c;
      c.log.push_back({log.number_at(0), log.text_at(1), log.text_at(2), log.text_at(3)});
    }
  }

  Result<void> change(int64_t number, const char* sql, std::string_view kind, std::string_view text, std::string_view author, Ticks now,
                      const std::vector<std::string>& values) {
    return together([&]() -> Result<void> {
      Statement s(db_, sql);
      for (const auto& v : values) s.text(v);
      TRY([[maybe_unused]] const bool row, s.number(now).number(number).step());
      if (sqlite3_changes(db_) == 0)
        return not_found(fmt::format("there is no incident {}", number), "egret incident list shows those that are stored");
      return say(number, kind, text, author, now);
    });
  }

  Result<void> comment(int64_t number, std::string_view text, std::string_view author, Ticks now) override {
    return change(number, "UPDATE incident SET status = max(status, 1), modified = ? WHERE number = ?", "comment", text, author, now, {});
  }
  Result<void> close(int64_t number, investigate::Classification as, std::string_view reason, std::string_view author, Ticks now) override {
    return change(number, "UPDATE incident SET status = 2, classification = ?, reason = ?, modified = ?3, closed = ?3 WHERE number = ?4",
                  "closed", fmt::format("as {}: {}", investigate::classification_name(as), reason), author, now,
                  {investigate::classification_name(as), std::string(reason)});
  }
  Result<void> reopen(int64_t number, std::string_view reason, std::string_view author, Ticks now) override {
    return change(number, "UPDATE incident SET status = 1, closed = 0, reason = '', modified = ? WHERE number = ?", "reopened", reason,
                  author, now, {});
  }

 private:
  sqlite3* db_;
};

}  // namespace

const char* status_name(Status s) {
  switch (s) {
    case Status::kNew: return "New";
    case Status::kActive: return "Active";
    case Status::kClosed: return "Closed";
  }
  return "New";
}

Result<std::unique_ptr<Cases>> Cases::open(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return unavailable("the data folder " + folder.string() + " cannot be made: " + error.message(), "give another one with --data DIR");
  sqlite3* db = nullptr;
  const auto path = folder / "control.sqlite";
  const int code = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  auto cases = std::make_unique<SqliteCases>(db);  // owns it, even when opening failed
  if (code != SQLITE_OK)
    return unavailable(path.string() + " cannot be opened: " + (db ? sqlite3_errmsg(db) : "out of memory"),
                       "give another folder with --data DIR");
  sqlite3_busy_timeout(db, 5000);
  TRY_VOID(cases->run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"));
  int64_t version = 0;
  {
    Statement s(db, "SELECT count(*) FROM sqlite_master WHERE name = 'incident_version'");
    TRY([[maybe_unused]] const bool row, s.step());
    if (s.number_at(0) > 0) {
      Statement v(db, "SELECT version FROM incident_version");
      TRY([[maybe_unused]] const bool there, v.step());
      version = v.number_at(0);
    }
  }
  if (version > kVersion)
    return unavailable(fmt::format("{} was written by a newer egret (format {}, this one knows {})", path.string(), version, kVersion),
                       "use that version, or another --data folder");
  if (version == 0) {
    const auto make = [&]() -> Result<void> {
      TRY_VOID(cases->run(kSchema));
      return cases->run("CREATE TABLE incident_version(version INTEGER NOT NULL) STRICT; INSERT INTO incident_version VALUES(1)");
    };
    const Result<void> made = cases->together(make);
    if (!made) return std::unexpected(made.error());
  }
  return cases;
}

}  // namespace egret::incident
