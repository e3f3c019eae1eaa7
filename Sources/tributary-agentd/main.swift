import Logging
Logger(label: "x").info("hello")
