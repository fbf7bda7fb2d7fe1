"""Django settings, computed from the environment (see :mod:`rondo.env` and docs/settings.md)."""

import re
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from rondo import env, outside, speech
from rondo.errors import InputError
from rondo.mail_server import mail_server
from rondo.speech import gettext_noop

RONDO_HOME = Path(env.read("RONDO_HOME")).expanduser().resolve()
RONDO_WAREHOUSE = Path(env.read("RONDO_WAREHOUSE") or RONDO_HOME / "warehouse").expanduser()
RONDO_ENGINE = env.read("RONDO_ENGINE")
_MASTER = r"([\w.-]+|\[[\da-f:.]+\]):\d{1,5}"
ENGINE = re.compile(
    rf"duckdb(:\s*(\d+(\.\d+)?\s*[KMGT](i?B)?|\d+%))?|spark://{_MASTER}(,{_MASTER})*", re.IGNORECASE | re.ASCII
)
if not ENGINE.fullmatch(RONDO_ENGINE):
    raise InputError(
        gettext_noop(
            "RONDO_ENGINE=%(value)r: write duckdb, duckdb:4GB to bound its memory, or spark://host:7077 for a cluster."
        ),
        value=RONDO_ENGINE,
    )
RONDO_HOST = env.read("RONDO_HOST")
RONDO_PORT = env.read_int("RONDO_PORT", 1, 65535)
RONDO_URL = (env.read("RONDO_URL") or f"http://localhost:{RONDO_PORT}").rstrip("/")
if not RONDO_URL.startswith(("http://", "https://")):
    raise InputError(
        gettext_noop("RONDO_URL=%(value)r: an address such as https://crm.example.org is needed."), value=RONDO_URL
    )
RONDO_WORKERS = env.read_int("RONDO_WORKERS", 1, 64)
DEBUG = env.read_int("RONDO_DEBUG", 0, 1) == 1
_LOG_LEVEL = env.read("RONDO_LOG_LEVEL").upper()
if _LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise InputError(
        gettext_noop("RONDO_LOG_LEVEL=%(value)r: one of DEBUG, INFO, WARNING, ERROR is needed."), value=_LOG_LEVEL
    )


def _secret_key() -> str:
    """The given key, or one made once and kept in RONDO_HOME (readable by its owner only)."""
    if key := env.read("RONDO_SECRET_KEY"):
        return key
    path = RONDO_HOME / "secret-key"
    if not path.exists():
        made = path.with_name(f"secret-key.{secrets.token_hex(4)}")
        try:
            RONDO_HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
            made.touch(mode=0o600)
        except OSError as error:
            raise InputError(
                gettext_noop("RONDO_HOME=%(home)s: no folder to write in (%(reason)s); name one that takes files."),
                home=RONDO_HOME,
                reason=error.strerror,
            ) from error
        made.write_text(secrets.token_urlsafe(50))
        try:
            path.hardlink_to(made)  # the first of several processes wins; the others read what it wrote
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_text().strip()


def _database() -> dict[str, Any]:
    url = env.read("RONDO_DATABASE_URL")
    try:
        parts = urlsplit(url or f"sqlite:///{RONDO_HOME / 'rondo.sqlite3'}")
        port = str(parts.port or "")
    except ValueError as error:
        raise InputError(
            gettext_noop("RONDO_DATABASE_URL: %(error)s; write postgresql://user:password@host:5432/name."), error=error
        ) from error
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path.replace("//", "/", 1)),
            "CONN_MAX_AGE": 60,  # Granian's threads keep theirs: opening one reads the schema and loses the page cache
            "OPTIONS": {
                "timeout": 30,
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                    "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456; PRAGMA cache_size=-65536;"
                ),
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        if not parts.path.strip("/"):
            raise InputError(
                gettext_noop(
                    "RONDO_DATABASE_URL: the name of the database is missing; write postgresql://user@host/name."
                )
            )
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.strip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": port,
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": dict(parse_qsl(parts.query)),  # libpq's own, such as sslmode=require
        }
    raise InputError(
        gettext_noop(
            "RONDO_DATABASE_URL begins with %(scheme)r; sqlite:///path or postgresql://user:password@host/name "
            "is needed."
        ),
        scheme=parts.scheme,
    )


SECRET_KEY = _secret_key()
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_HOST = urlsplit(RONDO_URL).hostname or "localhost"
ALLOWED_HOSTS = [_HOST, "localhost", "127.0.0.1", "[::1]"] + (["testserver"] if "pytest" in sys.modules else [])
CSRF_TRUSTED_ORIGINS = [RONDO_URL] if RONDO_URL.startswith("https://") else []
_SECURE = RONDO_URL.startswith("https://")
SESSION_ENGINE = "rondo.foundation.session_store"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Cookies do not tell ports apart: several installations on one machine need names of their own.
SESSION_COOKIE_NAME = f"rondo_session_{RONDO_PORT}"
CSRF_COOKIE_NAME = f"rondo_csrf_{RONDO_PORT}"
CSRF_FAILURE_VIEW = "rondo.web.views.errors.csrf_failed"
LANGUAGE_COOKIE_NAME = "rondo_language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if _SECURE else 0
# Rondo itself speaks plain HTTP: behind an https address there is one proxy, which sets these headers itself.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _SECURE else None
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if _SECURE else 0
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024  # a thousand customers in one call of the API
RONDO_API_RATE = env.read_int("RONDO_API_RATE", 0, 1_000_000)
RONDO_UPLOAD_LIMIT_MB = env.read_int("RONDO_UPLOAD_LIMIT_MB", 1, 1_000_000)
FILE_UPLOAD_HANDLERS = ["rondo.web.imports.uploading.ToFolder"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "ninja",
    "lucide",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_tasks",
    "django_tasks_db",
    "rondo.foundation",
    "rondo.lists",
    "rondo.customers",
    "rondo.duplicates",
    "rondo.catalogue",
    "rondo.interactions",
    "rondo.warehouse",
    "rondo.erasure",
    "rondo.retention",
    "rondo.backups",
    "rondo.analysis",
    "rondo.campaigns",
    "rondo.reports",
    "rondo.webhooks",
    "rondo.api",
    "rondo.web",
    "rondo.demo",
]

MIDDLEWARE = [
    "rondo.foundation.middleware.ContentSecurityPolicy",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "rondo.foundation.middleware.ViewerLocale",
    "rondo.foundation.middleware.Doors",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "rondo.web.middleware.ErrorsAsPages",
    "rondo.web.entrance.gates.Gates",
]

if env.read_int("RONDO_SERVER_TIMING", 0, 1):
    MIDDLEWARE.insert(0, "rondo.foundation.middleware.ServerTiming")

ROOT_URLCONF = "rondo.urls"
WSGI_APPLICATION = "rondo.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "web" / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "rondo.foundation.folding.Folded",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "rondo.web.context.shell",
            ],
            "builtins": ["rondo.web.templatetags.rondo"],
        },
    }
]

AUTH_USER_MODEL = "foundation.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "rondo.foundation.signing_in.AccountAdapter"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = False  # they count in each process; rondo.foundation.throttling counts for all
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
PASSWORD_RESET_TIMEOUT = 4 * 3600
MFA_ADAPTER = "rondo.foundation.second_factor.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # administrators say who has which address
MFA_RATE_LIMITS = False
MFA_TOTP_TOLERANCE = 1  # a clock may go wrong by half a minute
MFA_FORMS = {
    "activate_totp": "rondo.foundation.second_factor.CountedActivateForm",
    "authenticate": "rondo.foundation.second_factor.CountedAuthenticateForm",
    "reauthenticate": "rondo.foundation.second_factor.CountedReauthenticateForm",
    "authenticate_webauthn": "rondo.foundation.second_factor.CountedPasskeyForm",
}
_MAIL = mail_server(env.read("RONDO_MAIL_URL"), env.read("RONDO_MAIL_FROM"))
RONDO_MAIL = _MAIL is not None
"""Whether a mail server is set. Without one, mails (a forgotten password) are written to the log."""
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _MAIL else 'console'}.EmailBackend"
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.read("RONDO_MAIL_FROM") or f"Rondo <rondo@{_HOST}>"
if _MAIL is not None:
    EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = _MAIL.ssl, _MAIL.starttls

RONDO_WEBHOOK_NETWORKS = outside.networks(env.read("RONDO_WEBHOOK_NETWORKS"))
RONDO_WEBHOOK_LOG_DAYS = env.read_int("RONDO_WEBHOOK_LOG_DAYS", 1, 365)

LANGUAGE_CODE = env.read("RONDO_LANGUAGE") or speech.language()
LANGUAGES = [("en", _("English")), ("de", _("German"))]
if LANGUAGE_CODE not in dict(LANGUAGES):
    raise InputError(gettext_noop("RONDO_LANGUAGE=%(value)r: 'en' or 'de' is needed."), value=LANGUAGE_CODE)
LOCALE_PATHS = [Path(__file__).parent / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = RONDO_HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or "pytest" in sys.modules
        else "rondo.foundation.statics.Statics"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or "pytest" in sys.modules

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"], "ENQUEUE_ON_COMMIT": True}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 1000}}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": _LOG_LEVEL},
    "loggers": {"django.db.backends": {"level": "INFO"}, "django_tasks": {"level": "WARNING"}},
}
