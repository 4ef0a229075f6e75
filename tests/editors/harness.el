;;; harness.el --- what the tests of Emacs share  -*- lexical-binding: t; -*-

;; Each test is one form, evaluated with `t-' functions; it prints what it found as lines of JSON.

(require 'json)
;; Emacs runs through a loader, so it cannot start itself to compile.
(setq native-comp-enable-subr-trampolines nil native-comp-jit-compilation nil)
(setq make-backup-files nil auto-save-default nil create-lockfiles nil
      enable-local-variables nil inhibit-message nil)

(defvar t-patience 30)

(defun t-wait (what predicate)
  "Wait until PREDICATE holds; WHAT names it if it never does."
  (with-timeout (t-patience (princ (format "never: %s\n" what)) (kill-emacs 1))
    (while (not (funcall predicate)) (accept-process-output nil 0.02))))

(defun t-tell (key value)
  "Print KEY and VALUE for the test."
  (let ((line (json-serialize (vector (substring (symbol-name key) 1) value)
                              :null-object :null :false-object :false)))
    (princ (concat (decode-coding-string line 'utf-8) "\n"))))

(defun t-eglot (file)
  "Open FILE and connect."
  (require 'eglot)
  (setq eglot-sync-connect 30 eglot-confirm-server-edits nil eglot-autoshutdown nil)
  (find-file file)
  (python-mode)
  (apply #'eglot (eglot--guess-contact))
  (t-wait "connected" #'eglot-current-server))

(defun t-server-text ()
  "The server's text of the buffer."
  (eglot--signal-textDocument/didChange)
  (jsonrpc-request (eglot-current-server) :scripted/text
                   (list :uri (plist-get (eglot--TextDocumentIdentifier) :uri))))

(defun t-compare (what)
  "Print whether the server's text is the buffer's after WHAT."
  (let ((theirs (t-server-text))
        (ours (save-restriction (widen) (buffer-substring-no-properties (point-min) (point-max)))))
    (t-tell :after what)
    (t-tell :same (if (equal theirs ours) t :false))
    (unless (equal theirs ours) (t-tell :theirs theirs) (t-tell :ours ours))))
