import { type ReactNode, useEffect, useRef } from 'react'

interface ModalProps {
  readonly label: string
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly className?: string
  readonly children: ReactNode
}

/** The browser's own dialog: it keeps the focus inside, closes on Escape and gives the focus back. */
export const Modal = ({ label, isOpen, onClose, className = '', children }: ModalProps): ReactNode => {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = ref.current
    if (dialog === null) return
    if (isOpen && !dialog.open) dialog.showModal()
    if (!isOpen && dialog.open) dialog.close()
  }, [isOpen])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it; the click is for the pointer beside it.
    <dialog
      ref={ref}
      aria-label={label}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === ref.current) onClose()
      }}
      className={`fixed border-line bg-surface text-ink shadow-2xl backdrop:bg-black/40 ${className}`}
    >
      {isOpen && children}
    </dialog>
  )
}
