#ifndef CAFFE_UTIL_LOGGING_HPP_
#define CAFFE_UTIL_LOGGING_HPP_

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

namespace caffe {

/**
 * @brief The one exception of the runtime.
 *
 * what() is a single line: "WHO: MESSAGE", where WHO names the layer
 * ("conv1 (Convolution)"), the file or the record, and MESSAGE says what was
 * expected and what came. where() is the source position of the check.
 */
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, const std::string& where = "",
                 const std::string& who = "")
      : std::runtime_error(who.empty() ? message : who + ": " + message),
        message_(message),
        where_(where),
        who_(who) {}
  const std::string& message() const { return message_; }
  const std::string& where() const { return where_; }
  const std::string& who() const { return who_; }
  /** @brief The same error with its origin named; an origin once given stays. */
  Error By(const std::string& who) const {
    return who_.empty() ? Error(message_, where_, who) : *this;
  }

 private:
  std::string message_, where_, who_;
};

enum LogSeverity { LOG_INFO = 0, LOG_WARNING = 1, LOG_ERROR = 2, LOG_FATAL = 3 };

namespace logging {

/** @brief Lines below this severity are dropped. Starts at $GLOG_minloglevel, or INFO. */
void SetMinSeverity(LogSeverity severity);
LogSeverity MinSeverity();
/**
 * @brief Also appends every line to a file (empty: stops that).
 * @throws Error if the file cannot be opened for writing.
 */
void SetLogFile(const std::string& path);
/**
 * @brief Shows one line of progress under the log, when stderr is a terminal;
 * it is rewritten in place, and the log scrolls above it. Empty removes it.
 */
void SetStatusLine(const std::string& text);
/** @brief Whether stderr is a terminal, so that a status line shows. */
bool HasStatusLine();
/** @brief Formats and writes one line in glog's shape. */
void Write(LogSeverity severity, const char* file, int line, const std::string& message);
/** @brief "solver.cpp:45" from a path and a line. */
std::string SourcePosition(const char* file, int line);

/** @brief Collects a message and writes it when it goes out of scope. */
class LogLine {
 public:
  LogLine(LogSeverity severity, const char* file, int line)
      : severity_(severity), file_(file), line_(line) {}
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;
  ~LogLine() { Write(severity_, file_, line_, stream_.str()); }
  std::ostream& stream() { return stream_; }

 private:
  LogSeverity severity_;
  const char* file_;
  int line_;
  std::ostringstream stream_;
};

/** @brief Collects the message of an error; Throw turns it into the exception. */
class ErrorLine {
 public:
  ErrorLine(const char* file, int line, const std::string& check, const std::string& values = "")
      : where_(SourcePosition(file, line)), check_(check), values_(values) {}
  template <typename T>
  ErrorLine& operator<<(const T& value) {
    stream_ << value;
    return *this;
  }
  ErrorLine& operator<<(std::ostream& (*manipulator)(std::ostream&)) {
    stream_ << manipulator;
    return *this;
  }
  /** @brief The message, followed by the values that a comparison saw. */
  Error ToError() const;

 private:
  std::string where_, check_, values_;
  std::ostringstream stream_;
};

/** @brief `Throw() & ErrorLine(...) << ...`: & binds more loosely than <<. */
struct Throw {
  [[noreturn]] void operator&(const ErrorLine& line) const { throw line.ToError(); }
};
struct Voidify {
  void operator&(const std::ostream&) const {}
};

template <typename A, typename B>
std::string DescribeValues(const A& a, const B& b) {
  std::ostringstream out;
  out << a << " vs. " << b;
  return out.str();
}

// Arguments by value of their own type, so that an integer literal compared
// with a size_t does not warn: the comparison happens in the caller's types.
#define CAFFE_DEFINE_CHECK_OP(name, op)                                         \
  template <typename A, typename B>                                             \
  inline std::unique_ptr<std::string> Check##name(const A& a, const B& b) {     \
    if (a op b) return nullptr;                                                 \
    return std::unique_ptr<std::string>(new std::string(DescribeValues(a, b))); \
  }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
CAFFE_DEFINE_CHECK_OP(EQ, ==)
CAFFE_DEFINE_CHECK_OP(NE, !=)
CAFFE_DEFINE_CHECK_OP(LT, <)
CAFFE_DEFINE_CHECK_OP(LE, <=)
CAFFE_DEFINE_CHECK_OP(GT, >)
CAFFE_DEFINE_CHECK_OP(GE, >=)
#pragma GCC diagnostic pop
#undef CAFFE_DEFINE_CHECK_OP

template <typename T>
T&& CheckNotNull(const char* file, int line, const char* name, T&& pointer) {
  if (pointer == nullptr) Throw() & ErrorLine(file, line, std::string(name) + " is not null");
  return std::forward<T>(pointer);
}

}  // namespace logging
}  // namespace caffe

#define CAFFE_LOG_INFO ::caffe::logging::LogLine(::caffe::LOG_INFO, __FILE__, __LINE__).stream()
#define CAFFE_LOG_WARNING \
  ::caffe::logging::LogLine(::caffe::LOG_WARNING, __FILE__, __LINE__).stream()
#define CAFFE_LOG_ERROR ::caffe::logging::LogLine(::caffe::LOG_ERROR, __FILE__, __LINE__).stream()
#define CAFFE_LOG_FATAL \
  ::caffe::logging::Throw() & ::caffe::logging::ErrorLine(__FILE__, __LINE__, "")
#define CAFFE_VOIDIFY_INFO ::caffe::logging::Voidify() & CAFFE_LOG_INFO
#define CAFFE_VOIDIFY_WARNING ::caffe::logging::Voidify() & CAFFE_LOG_WARNING
#define CAFFE_VOIDIFY_ERROR ::caffe::logging::Voidify() & CAFFE_LOG_ERROR
#define CAFFE_VOIDIFY_FATAL CAFFE_LOG_FATAL

/** LOG(INFO), LOG(WARNING) and LOG(ERROR) write a line; LOG(FATAL) throws caffe::Error. */
#define LOG(severity) CAFFE_LOG_##severity
#define LOG_IF(severity, condition) !(condition) ? (void)0 : CAFFE_VOIDIFY_##severity
#define CAFFE_CONCAT2(a, b) a##b
#define CAFFE_CONCAT(a, b) CAFFE_CONCAT2(a, b)
#define LOG_FIRST_N(severity, n)                       \
  static int CAFFE_CONCAT(log_first_n_, __LINE__) = 0; \
  LOG_IF(severity, CAFFE_CONCAT(log_first_n_, __LINE__)++ < (n))
#define LOG_EVERY_N(severity, n)                       \
  static int CAFFE_CONCAT(log_every_n_, __LINE__) = 0; \
  LOG_IF(severity, CAFFE_CONCAT(log_every_n_, __LINE__)++ % (n) == 0)

/** CHECK(condition) << message: throws caffe::Error with the message (or the condition). */
#define CHECK(condition) \
  (condition)            \
      ? (void)0          \
      : ::caffe::logging::Throw() & ::caffe::logging::ErrorLine(__FILE__, __LINE__, #condition)

#define CAFFE_CHECK_OP(name, op, a, b)                                      \
  while (auto caffe_check_values = ::caffe::logging::Check##name((a), (b))) \
  ::caffe::logging::Throw() &                                               \
      ::caffe::logging::ErrorLine(__FILE__, __LINE__, #a " " #op " " #b, *caffe_check_values)
/** CHECK_EQ(a, b) << message and its kin: the error also shows both values. */
#define CHECK_EQ(a, b) CAFFE_CHECK_OP(EQ, ==, a, b)
#define CHECK_NE(a, b) CAFFE_CHECK_OP(NE, !=, a, b)
#define CHECK_LT(a, b) CAFFE_CHECK_OP(LT, <, a, b)
#define CHECK_LE(a, b) CAFFE_CHECK_OP(LE, <=, a, b)
#define CHECK_GT(a, b) CAFFE_CHECK_OP(GT, >, a, b)
#define CHECK_GE(a, b) CAFFE_CHECK_OP(GE, >=, a, b)
#define CHECK_NOTNULL(pointer) \
  ::caffe::logging::CheckNotNull(__FILE__, __LINE__, #pointer, (pointer))

#ifdef NDEBUG
#define CAFFE_DEBUG_ONLY while (false)
#else
#define CAFFE_DEBUG_ONLY
#endif
#define DLOG(severity) CAFFE_DEBUG_ONLY LOG(severity)
#define DCHECK(condition) CAFFE_DEBUG_ONLY CHECK(condition)
#define DCHECK_EQ(a, b) CAFFE_DEBUG_ONLY CHECK_EQ(a, b)
#define DCHECK_NE(a, b) CAFFE_DEBUG_ONLY CHECK_NE(a, b)
#define DCHECK_LT(a, b) CAFFE_DEBUG_ONLY CHECK_LT(a, b)
#define DCHECK_LE(a, b) CAFFE_DEBUG_ONLY CHECK_LE(a, b)
#define DCHECK_GT(a, b) CAFFE_DEBUG_ONLY CHECK_GT(a, b)
#define DCHECK_GE(a, b) CAFFE_DEBUG_ONLY CHECK_GE(a, b)
#define VLOG(level) LOG_IF(INFO, false && (level))

#endif  // CAFFE_UTIL_LOGGING_HPP_
